"""What a report says of the tuning, from records made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from research.errors import UserError
from research.reports.comma import csv_table
from research.reports.latex import latex_table
from research.reports.markdown import markdown_table
from research.reports.page import page
from research.reports.rows import read_study, rows
from research.reports.tunings import chosen_grid, tuning_notes

SPACE = {"lr": {"low": 0.001, "high": 0.1, "log": True}, "dropout": [0.1, 0.2]}
ASKED = {"trials": 4, "sampler": "tpe", "seed": 1, "prune": "median", "metric": "ndcg@10", "space": SPACE}


def tuned(**changes: Any) -> dict[str, Any]:
    return {
        **ASKED,
        "chosen": {"lr": 0.012345, "dropout": 0.2},
        "validation": 0.25,
        "pruned": 1,
        "failed": 0,
        "seconds": 12.4,
        **changes,
    }


@pytest.fixture
def study(make_study: Callable[..., Any]) -> Any:
    made = make_study(tune=ASKED)
    made.run("gated", 1, [0, 2], tuning=tuned())
    made.run("long_only", 1, [1, 30], tuning=tuned(chosen={"lr": 0.002, "dropout": 0.1}, pruned=0, failed=2))
    made.run("", 1, [5, 6], kind="baseline", label="popularity", cell="popularity", tuning=None)
    return made


def fail_tuning(study: Any, **changes: Any) -> None:
    result = {
        **tuned(chosen=None, validation=None, failed=4),
        "identity": "f" * 64,
        "label": "transformer + gru | sum",
        "arm": {"fusion": "sum"},
        "kind": "model",
        "status": "failed",
        "reason": "No trial of the tuning ended well: the loss is NaN",
        **changes,
    }
    (study.path / "tuning").mkdir(exist_ok=True)
    (study.path / "tuning" / "sum.json").write_text(json.dumps(result))


def test_the_notes(study):
    assert tuning_notes(read_study(study.path)) == [
        "Tuning: 4 trials on validation NDCG@10 (tpe sampler, seed 1, median pruning) over lr 0.001 to 0.1 (log "
        "scale); dropout one of 0.1, 0.2, every arm alike.",
        "Tuning ranked validation items only, in runs with a seed of their own; the test items took no part.",
        "Trials that failed count: transformer + gru | long_only 2.",
        "Trials that were pruned count: transformer + gru | gated 1.",
        "Not tuned: popularity.",
    ]


def test_every_writer_prints_them(study):
    records = read_study(study.path)
    for text in (markdown_table(rows(records), records), latex_table(rows(records), records), page(records)):
        assert "every arm alike" in text and "Not tuned: popularity" in text


def test_a_study_without_tuning_says_nothing(make_study):
    plain = make_study()
    plain.run("gated", 1, [0, 2])
    records = read_study(plain.path)
    assert tuning_notes(records) == [] and chosen_grid(rows(records), records) is None
    assert "Trials" not in markdown_table(rows(records), records) and 'id="tuning"' not in page(records)


def test_the_chosen_values(study):
    records = read_study(study.path)
    grid = chosen_grid(rows(records), records)
    assert grid is not None
    headings = [column.heading for column in grid.columns]
    assert headings == ["Arm", "Trials", "Pruned", "Failed", "lr", "dropout", "Validation NDCG@10", "Tuning s"]
    assert [[cell.text for cell in line.cells] for line in grid.lines] == [
        ["transformer + gru | gated", "4", "1", "0", "0.01235", "0.2", ".2500", "12"],
        ["transformer + gru | long_only", "4", "0", "2", "0.002", "0.1", ".2500", "12"],
    ]
    assert [row.trials for row in rows(records)] == [None, 4, 4]


def test_csv_has_them_in_full(study):
    records = read_study(study.path)
    lines = [line.split(",") for line in csv_table(rows(records), records).splitlines()]
    at = {heading: index for index, heading in enumerate(lines[0])}
    assert [line[at["chosen.lr"]] for line in lines[1:]] == ["", "0.012345", "0.002"]
    assert [line[at["trials"]] for line in lines[1:]] == ["", "4", "4"]


def test_unequal_budgets_are_warned_of(study):
    study.run("sum", 1, [1, 30], tuning=tuned(trials=50))
    said = tuning_notes(read_study(study.path))
    assert said[-1].startswith("Warning: the arms were not all tuned with the same budget")
    assert (
        said[0].endswith("every other tuned arm alike.") and "Tuning of transformer + gru | sum: 50 trials" in said[1]
    )


def test_an_arm_that_was_not_tuned_is_warned_of(study):
    study.run("sum", 1, [1, 30], tuning=None)
    assert tuning_notes(read_study(study.path))[-1].startswith("Warning")


def test_a_tuning_that_chose_nothing_is_a_row_that_failed(study):
    fail_tuning(study)
    records = read_study(study.path)
    row = next(row for row in rows(records) if row.label.endswith("sum"))
    assert row.seeds == () and [f.seed for f in row.failed] == [1, 2] and row.trials == 4
    text = markdown_table(rows(records), records)
    assert "Failed: transformer + gru \\| sum, seed 1: No trial of the tuning ended well: the loss is NaN" in text
    assert "sum 4" in next(line for line in text.splitlines() if "Trials that failed" in line)
    grid = chosen_grid(rows(records), records)
    assert grid is not None and [cell.text for cell in grid.lines[-1].cells][4:7] == ["–", "–", "–"]


def test_one_of_another_budget_is_history(study):
    fail_tuning(study, trials=3)
    assert not any(row.label.endswith("sum") for row in rows(read_study(study.path)))


def test_a_damaged_result_is_named(study):
    fail_tuning(study)
    (study.path / "tuning" / "sum.json").write_text("{")
    with pytest.raises(UserError, match=r"sum\.json is not readable"):
        read_study(study.path)
