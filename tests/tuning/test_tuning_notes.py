"""The footer's sentences about tuning, of records made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from research.reports.tunings import tuning_notes

SAID = {
    "trials": 2,
    "sampler": "random",
    "seed": 1,
    "prune": None,
    "metric": "ndcg@10",
    "space": {"dropout": [0.1, 0.2]},
    "failed": 0,
    "pruned": 0,
}


def notes(*runs: tuple[str, int, dict[str, Any] | None]) -> str:
    made = [
        SimpleNamespace(cell=label, label=label, seed=seed, kind="model", record={"tuning": said})
        for label, seed, said in runs
    ]
    return "\n".join(tuning_notes(SimpleNamespace(runs=made)))  # type: ignore[arg-type]


def test_equal_budgets_are_one_sentence() -> None:
    text = notes(("a", 1, SAID), ("a", 2, SAID), ("b", 1, SAID), ("b", 2, SAID))
    assert "over dropout one of 0.1, 0.2, every arm alike." in text
    assert "Warning" not in text and "Not tuned" not in text


def test_one_seed_of_an_arm_with_another_budget_is_warned_of() -> None:
    """Whichever of its seeds it is."""
    other = {**SAID, "trials": 50}
    for first, second in ((other, SAID), (SAID, other)):
        text = notes(("a", 1, SAID), ("a", 2, SAID), ("b", 1, first), ("b", 2, second))
        assert "Warning: the arms were not all tuned with the same budget" in text
        assert "Tuning of b: 50 trials" in text and "Tuning: 2 trials" in text


def test_arms_are_named_once_however_many_seeds_they_have() -> None:
    failed = {**SAID, "failed": 1}
    text = notes(("a", 1, failed), ("a", 2, failed), ("b", 1, None), ("b", 2, None))
    assert "Trials that failed count: a 1." in text and "Not tuned: b." in text
    assert "Warning" in text


def test_nothing_tuned_says_nothing() -> None:
    assert notes(("a", 1, None)) == ""
