"""docs/add-an-encoder.md and docs/add-a-fusion.md are done as they stand: their files written, their commands run.

One process does the steps of both pages in a copy of the repository, another those of a package of one's own: to start
one for every command would be most of the work.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from research.config import compose, config_directories, options
from research.errors import UserError

ROOT = Path(__file__).parents[1]
PAGES = {"mingru": ROOT / "docs" / "add-an-encoder.md", "film": ROOT / "docs" / "add-a-fusion.md"}
OWN = "\n## In a package of your own\n"
FILE = re.compile(r"^`([\w/.-]+\.(?:py|yaml))`[^`\n]*:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)

SHELL = """
import os, shlex, sys
import pytest
from research import cli

for line in sys.stdin.read().splitlines():
    first, *words = shlex.split(line, comments=True)
    print("$", line, flush=True)
    if first == "export":
        for word in words:
            name, _, value = word.partition("=")
            os.environ[name] = os.path.expandvars(value)
            sys.path[:0] = [os.environ[name]] if name == "PYTHONPATH" else []
    elif first == "pytest":
        assert pytest.main(words) == 0, line
    else:
        assert first == "research", line
        try:
            cli.main(words)
        except SystemExit as stop:
            assert not stop.code, line
"""


def sections(page: Path) -> tuple[str, str]:
    """The steps in a checkout, and those in a package of one's own."""
    checkout, own = page.read_text().split(OWN)
    return checkout, own


def commands(text: str) -> list[str]:
    return [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def files(text: str) -> dict[str, str]:
    return dict(FILE.findall(text))


def done(directory: Path, lines: list[str], **environment: str) -> str:
    """What the commands print; they are run in one process, one after the other."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RESEARCH_", "PYTEST_"))}
    clean |= {"PWD": str(directory), "RESEARCH_CACHE": str(directory / "cache"), "OMP_NUM_THREADS": "1"}
    clean |= {"COLUMNS": "160", **environment}
    run = subprocess.run(
        [sys.executable, "-c", SHELL],
        input="\n".join(lines),
        cwd=directory,
        env=clean,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def write(directory: Path, content: dict[str, str]) -> None:
    for name, text in content.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists(), f"{name} is there already"
        path.write_text(text)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_part_is_one_short_file_and_one_configuration(page: Path) -> None:
    checkout, own = (files(text) for text in sections(page))
    (part,) = (text for name, text in checkout.items() if name.startswith("research/"))
    assert len(part.splitlines()) < 100 and ast.get_docstring(ast.parse(part))
    assert [Path(name).suffix for name in checkout] == [".py", ".yaml", ".py", ".yaml"]
    assert [Path(name).suffix for name in own] == [".yaml", ".py"]
    blocks = re.findall(r"^```(\w+)$", page.read_text(), re.MULTILINE)
    assert blocks.count("python") + blocks.count("yaml") == len(checkout) + len(own), "a block without its file's name"
    assert set(blocks) == {"python", "yaml", "bash"}


def test_the_steps_in_a_checkout(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("research", "configs", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    lines = []
    for page in PAGES.values():
        text, _ = sections(page)
        write(tmp_path, files(text))
        lines += commands(text)
    said = done(tmp_path, lines, PYTHONPATH=str(tmp_path))
    for name, paper in (("mingru", "Feng et al., 2024"), ("film", "Perez et al., AAAI 2018")):
        assert re.search(rf"^ ?{name} .*{re.escape(paper)}", said, re.MULTILINE), said[-3000:]
        assert (tmp_path / "runs" / f"{name}-study" / "report.html").exists()
    assert len(list(tmp_path.glob("runs/single/*/seed-1/record.json"))) == 2
    for page in PAGES.values():
        assert {line.split()[0] for line in commands(sections(page)[0])} == {"research", "pytest"}
    # Tests of one new class each: 11 promises and its file for an encoder, of which 3 over every window.
    passed = [int(n) for n in re.findall(r"(\d+) passed", said)]
    assert len(passed) == 4 and passed[1] == passed[3] == 1 and passed[0] > 20 and passed[2] > 8, passed


def test_the_steps_in_a_package_of_ones_own(tmp_path: Path) -> None:
    lines = []
    for name, page in PAGES.items():
        checkout, own = sections(page)
        (part,) = (text for path, text in files(checkout).items() if path.startswith("research/"))
        write(tmp_path, {f"parts/{name}.py": part, **files(own)})
        lines += commands(own)
    said = done(tmp_path, lines, PYTHONPATH=str(ROOT))
    assert len(list(tmp_path.glob("runs/single/*/seed-1/record.json"))) == 2
    assert re.findall(r"(\d+) passed", said) == ["1", "1"]
    assert re.search(r"^ ?film .*8,320", said, re.MULTILINE), "two layers of 64 x 64 with their biases"


class TestOwnConfigurations:
    """RESEARCH_CONFIGS: a directory beside the shipped ones."""

    @pytest.fixture
    def own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        own = tmp_path / "it's mine, yes"
        (own / "fusion").mkdir(parents=True)
        (own / "fusion" / "half.yaml").write_text(
            "# Mine.\n_target_: research.fusion.weighted.Weighted\nweight: fixed\n"
        )
        monkeypatch.setenv("RESEARCH_CONFIGS", str(own))
        return own

    def test_it_adds_options(self, own: Path) -> None:
        assert compose(["fusion=half"]).fusion.weight == "fixed"
        assert {"half", "gated"} <= set(options("fusion"))
        assert compose(["fusion=gated"]).fusion.elementwise is True

    def test_a_file_that_is_no_yaml_is_named_with_its_line(self, own: Path) -> None:
        (own / "fusion" / "broken.yaml").write_text("# Mine.\n_target_: [unfinished\n")
        with pytest.raises(UserError, match=r"not readable YAML: .*broken\.yaml\W+ line 2") as caught:
            compose(["fusion=broken"])
        assert "\n" not in str(caught.value)

    def test_a_mistake_names_them_too(self, own: Path) -> None:
        with pytest.raises(UserError, match=r"no fusion called 'halff'\. Known: .*half.*Did you mean 'half'"):
            compose(["fusion=halff"])
        with pytest.raises(UserError, match=r"There is no key 'fusion\.wait'\. Known here: fusion\.weight"):
            compose(["fusion=half", "fusion.wait=1"])

    def test_trust_is_asked_for_there_too(self, own: Path) -> None:
        (own / "fusion" / "bad.yaml").write_text("_target_: os.system\n")
        with pytest.raises(UserError, match=r"os\.system lies outside"):
            compose(["fusion=bad"])

    def test_several_directories(self, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "more" / "window").mkdir(parents=True)
        (tmp_path / "more" / "window" / "two.yaml").write_text("_target_: research.windows.last_k.LastK\nk: 2\n")
        monkeypatch.setenv("RESEARCH_CONFIGS", os.pathsep.join([str(own), str(tmp_path / "more")]))
        config = compose(["fusion=half", "window=two"])
        assert config.window.k == 2 and len(config_directories()) == 3

    def test_a_directory_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RESEARCH_CONFIGS", str(tmp_path / "nowhere"))
        with pytest.raises(UserError, match=r"RESEARCH_CONFIGS names .*nowhere, which is no directory"):
            compose([])

    def test_a_name_that_is_taken(self, own: Path) -> None:
        (own / "fusion" / "gated.yaml").write_text("_target_: research.fusion.sum.Sum\n")
        with pytest.raises(UserError, match=r"gated\.yaml has the name of a file of .*configs"):
            compose([])

    def test_without_it_nothing_is_added(self) -> None:
        assert "half" not in options("fusion") and len(config_directories()) == 1
