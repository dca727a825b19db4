"""docs/add-a-dataset.md is followed to the letter: its two files are written, and the commands know the set."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from research import cli

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "add-a-dataset.md"


def block(language: str) -> str:
    return DOCUMENT.read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]


@pytest.fixture
def research(capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mysets").mkdir()
    (tmp_path / "mysets/plays.py").write_text(block("python"), encoding="utf-8")
    (tmp_path / "myconfigs/data").mkdir(parents=True)
    (tmp_path / "myconfigs/data/plays.yaml").write_text(block("yaml"), encoding="utf-8")
    (tmp_path / "downloads/plays").mkdir(parents=True)
    rows = (f"{user}\t{item}\t{60 * item}\t{10 * item}\n" for user in (1, 2, 3) for item in range(1, 9))
    (tmp_path / "downloads/plays/plays.tsv").write_text("".join(rows))
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RESEARCH_MIRROR", str(tmp_path / "downloads"))
    for line in re.findall(r"^export (.*)", block("sh"), re.MULTILINE):
        for word in line.split():
            name, _, value = word.partition("=")
            value = value.replace("$PWD", str(tmp_path))
            monkeypatch.syspath_prepend(value) if name == "PYTHONPATH" else monkeypatch.setenv(name, value)

    def call(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main(list(words))
        text = capsys.readouterr()
        return int(stop.value.code or 0), text.out, text.err

    yield call
    sys.modules.pop("mysets.plays", None)
    sys.modules.pop("mysets", None)


def test_the_set_is_listed_read_and_cited(research) -> None:
    code, out, err = research("data", "--json")
    assert code == 0, err
    listed = {one["name"]: one for one in json.loads(out)["datasets"]}["plays"]
    assert (listed["users"], listed["licence"], listed["state"]) == (1000, "CC BY 4.0", "mirror")
    code, out, err = research("data", "plays", "--json")
    assert code == 0 and "Plays, CC BY 4.0. Cite Doe (2026)." in err
    # Of the eight plays of a user, of 10 to 80 seconds, six are long enough, and with the other setting all.
    assert (json.loads(out)["users"], json.loads(out)["interactions"]) == (3, 18)
    assert json.loads(research("data", "plays", "data.min_seconds=10", "--json")[1])["interactions"] == 24
    assert "author = {Doe, Jane}" in research("data", "--cite", "plays")[1]
    code, _, err = research("data", "plays", "data.min_second=10")
    assert code == 2 and "min_seconds" in err


def test_it_is_not_built_without_trust(research, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESEARCH_TRUST")
    code, out, err = research("data", "plays")
    assert code == 2 and out == "" and "RESEARCH_TRUST" in err and "mysets.plays" not in sys.modules
