"""The leaderboard: what stands in the repository is what the records give, best first, data and protocols apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scripts.leaderboard import lines, written
from tests.made_runs import made_run

RESULTS = Path(__file__).parents[2] / "results"


def published(results: Path, name: str, seeds: list[int], **cells: list[int]) -> None:
    """A published study whose arms' targets have so many better items, for each of two users; as its last seed says."""
    for cell, better in cells.items():
        for seed in seeds:
            made_run(results / name, better, study="runs", cell=f"{cell}-1", seed=seed)
    study = {"name": name, "question": "Which?", "axes": {"fusion": list(cells)}, "seeds": seeds, "baseline": {}}
    (results / name / "runs" / "study.yaml").write_text(yaml.safe_dump(study))


def test_the_committed_page_is_what_the_records_give() -> None:
    assert (RESULTS / "LEADERBOARD.md").read_text() == written(RESULTS), "python scripts/leaderboard.py"


def test_best_first_over_all_studies_of_one_question(tmp_path: Path) -> None:
    published(tmp_path, "one", [1, 2], first=[0, 0], second=[1, 99])
    published(tmp_path, "two", [1], other=[0, 1])
    ((_, found),) = lines(tmp_path).items()
    assert [(line.study, line.label, line.seeds) for line in found] == [
        ("one", "first", 2),
        ("two", "other", 1),
        ("one", "second", 2),
    ]
    # NDCG of rank 1 is 1, of rank 2 it is 1 / log2(3) = .63093.
    assert [line.values[0].mean for line in found] == pytest.approx([1, (1 + 0.63093) / 2, 0.63093 / 2], abs=1e-5)
    assert "| 2 | other | .8155 | 1.0000 | 1 | – | 10 | [two](two/table.md) | cccccccccccc |" in written(tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"name": "toy", "digest": "e" * 64, "audit": {}}},
        {"protocol": {"split": "ratio", "ranking": "full catalogue", "users": 2}},
    ],
    ids=["data", "protocol"],
)
def test_other_data_or_another_protocol_is_another_table(tmp_path: Path, fields: dict) -> None:
    published(tmp_path, "one", [1], first=[0, 0])
    made_run(tmp_path / "two", [0, 0], study="runs", cell="first-1", **fields)
    study = {"name": "two", "question": "Which?", "axes": {"fusion": ["first"]}, "seeds": [1], "baseline": {}}
    (tmp_path / "two" / "runs" / "study.yaml").write_text(yaml.safe_dump(study))
    assert len(lines(tmp_path)) == 2
    assert len(re.findall(r"^\| 1 \|", written(tmp_path), re.MULTILINE)) == 2


def test_a_row_without_training_that_stands_in_two_studies_is_one_row(tmp_path: Path) -> None:
    for name in ("one", "two"):
        published(tmp_path, name, [1], first=[0, 0])
        made_run(tmp_path / name, [5, 5], study="runs", cell="popularity-1", kind="baseline", identity="p" * 64, arm={})
    ((_, found),) = lines(tmp_path).items()
    assert [line.label for line in found] == ["first", "first", "popularity"]


def test_a_paper_s_rows_stand_among_the_others_with_their_own_command(tmp_path: Path) -> None:
    published(tmp_path, "one", [1], first=[0, 0])
    published(tmp_path / "paper", "small", [1], theirs=[1, 1])
    study = tmp_path / "paper" / "small" / "runs" / "study.yaml"
    study.write_text(study.read_text().replace("name: small", "name: paper-small"))
    ((_, found),) = lines(tmp_path).items()
    assert [line.study for line in found] == ["one", "paper/small"]
    assert "[paper/small](paper/small/table.md)" in written(tmp_path)
    assert "To run it again: `research study one`, `research reproduce small`." in written(tmp_path)
