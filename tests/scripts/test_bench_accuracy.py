"""The report of accuracy after equal wall-clock, and the process that it asks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from research.reports.drawing import to_svg
from scripts.bench import accuracy
from scripts.bench.accuracy import ask, figure, ours, table
from scripts.bench.datasets import Dataset


def side(seconds: float, ndcg: float, others: float | None = 0.02) -> dict[str, Any]:
    return {
        "users": 10,
        "recall@10": 0.3,
        "ndcg@10": ndcg,
        "seconds": seconds,
        "epochs": 2.0,
        "threads": 2,
        "others": others,
        "curve": [[seconds / 4, ndcg / 2], [seconds, ndcg]],
    }


def test_the_peer_stands_beside_ours_with_its_share() -> None:
    text = table({"beauty": {"framework": side(100.0, 0.05), "rectools": side(101.4, 0.02, 0.09)}})
    assert "| Beauty | framework | 100 | 2.0 | 0.3000 | 0.0500 | 1.00 |" in text
    assert "| Beauty | rectools | 101 | 2.0 | 0.3000 | 0.0200 | 0.40 |" in text
    assert "at most 9% of the CPU" in text


def test_what_a_run_of_ours_says_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path))
    small = ["data.n_users=40", "data.n_items=30", "data.mean_length=10", "trainer.threads=1"]
    monkeypatch.setattr(accuracy, "LONG", [*accuracy.LONG, *small])
    said = {**ours(Dataset("simulated", "Small", 10, 1), epochs=2), "others": None}
    assert said["epochs"] == len(said["curve"]) == 2 and said["curve"][-1][0] <= said["seconds"] + 1e-6
    found = {"beauty": {"framework": said, "rectools": side(1.0, 0.05)}}
    assert f"| {said['seconds']:.0f} | 2.0 | {said['recall@10']:.4f} |" in table(found)
    assert figure(found).alt.startswith("Validation NDCG@10 by seconds. Beauty: framework")


def test_a_machine_that_does_not_tell_is_said() -> None:
    assert "an unknown share" in table({"beauty": {"framework": side(1.0, 0.05, None), "rectools": side(1.0, 0.05)}})


def test_the_figure_has_a_panel_for_each_data_set_and_a_line_for_each_side() -> None:
    found = {
        "beauty": {"framework": side(100.0, 0.05), "rectools": side(101.4, 0.02)},
        "ml-1m": {"framework": side(300.0, 0.17), "rectools": side(303.0, 0.11)},
    }
    plot = figure(found)
    panels = plot.figure.axes
    assert [ax.get_title() for ax in panels] == ["Beauty", "ML-1M"]
    lines = {line.get_label(): np.asarray(line.get_xydata()).tolist() for line in panels[1].lines}
    assert lines == {"framework": [[75.0, 0.085], [300.0, 0.17]], "rectools": [[75.75, 0.055], [303.0, 0.11]]}
    assert "ML-1M: rectools 0.1100 after 303 s" in plot.alt and "<svg" in to_svg(plot)


def test_the_last_line_of_a_process_is_its_answer() -> None:
    said = ask([sys.executable, "-c", "print('noise'); print('{\"users\": 3}')"], dict(os.environ))
    assert said["users"] == 3


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such peer"):
        ask([sys.executable, "-c", "raise SystemExit('no such peer')"], dict(os.environ))
