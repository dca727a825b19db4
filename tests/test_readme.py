"""The README is a promise: its commands compose, its code runs, its example of a new part works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from research.ablation.arms import arms
from research.catalogue import GROUPS
from research.config import compose, options
from research.papers.as_study import as_study
from research.papers.paper import read_paper
from research.studies.plan import plan
from research.studies.study import read_study_file
from research.training.compatible import check_compatible

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("research ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_there_are_commands_of_every_kind():
    kinds = {"data", "models", "train", "tune", "ablate", "reproduce", "study", "table"}
    assert {words[0] for words in commands()} == kinds


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_are_valid(words):
    kind, rest = words[0], words[1:]
    if kind == "train":
        check_compatible(compose(rest))
    elif kind == "tune":
        assert rest[-2] == "--trials"
        check_compatible(compose(rest[:-2]))
    elif kind == "data":
        compose([f"data={rest[0]}", *rest[1:]] if rest else [])
    elif kind == "models":
        assert all(group in GROUPS for group in rest)
    elif kind == "ablate":
        assert len(arms(rest).own) > 5
    elif kind == "reproduce":
        assert as_study(read_paper(rest[0])).seeds
    else:
        assert plan(read_study_file(rest[0]), [])
    if kind == "table":
        assert rest[1:] == ["--format", "latex"]


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", "\n".join(blocks("bash")), flags=re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in (*targets, "setup", "check", "bench"):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "group", ["data", "encoder", "items", "window", "fusion", "loss", "objective", "baseline", "model"]
)
def test_every_option_stands_in_the_table(group):
    for option in options(group):
        assert f"`{option}`" in README, option


def test_the_notebook_example_runs():
    exec(compile(blocks("python")[0], "README.md", "exec"), {})


def test_the_new_fusion_works_with_one_file_and_one_configuration(tmp_path):
    """Copies the package, adds the README's two files, trains."""
    for name in ("research", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "research" / "fusion" / "maximum.py").write_text(blocks("python")[1])
    (tmp_path / "configs" / "fusion" / "maximum.yaml").write_text(blocks("yaml")[0])
    words = ["data=simulated", "data.n_users=40", "data.n_items=30", "data.mean_length=10", "width=8", "max_length=10"]
    words += ["fusion=maximum", "trainer.max_epochs=1", "trainer.accelerator=cpu", f"paths.runs={tmp_path / 'runs'}"]
    program = "import sys; from research.cli import main; main(['train', '--json', *sys.argv[1:]])"
    result = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "RESEARCH_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert '"fusion": {"_target_": "research.fusion.maximum.Maximum"}' in result.stdout


def test_what_is_generated_is_as_the_script_writes_it():
    """scripts/update_readme.py puts it there; nobody types it."""
    program = (
        "import runpy, sys, pathlib; script = runpy.run_path('scripts/update_readme.py'); "
        "readme = pathlib.Path('README.md').read_text(); sys.exit(script['written'](readme) != readme)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=120).returncode == 0
    for figure in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (ROOT / figure).exists()
