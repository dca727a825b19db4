"""One row of a table: a cell of the study with its values over seeds. Every table and figure is written from rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from research.reports.summary import Value

if TYPE_CHECKING:
    from research.statistics.verdict import Verdict

Mark = Literal["best", "second"]

PLACES = 4
"""Digits behind the point in tables; means that print alike share a mark."""


@dataclass(frozen=True)
class Failure:
    """A run of the row that ended without a result."""

    seed: int
    reason: str


@dataclass(frozen=True)
class Row:
    """One cell of the study.

    Attributes:
        kind: "model" for a trained arm, "baseline" for popularity, EASE and their like.
        group: data and protocol where the study has several, else ``""``.
        planned: seeds the study asks of this cell; one for a baseline, which is deterministic.
        seeds: seeds that finished.
        values: metric -> mean and std; empty when no seed finished.
        marks: metric -> "best" or "second".
        seconds: mean training time of a run.
        epochs: mean of the best epoch; None for a baseline.
        branch_weight: mean weight of the long branch over users, then seeds; None for arms without weights.
        trials: runs that chose the arm's values on validation; ``None`` where nothing was tuned.
        reference: whether this is the study's baseline arm, which other arms are held against.
        against: metric -> verdict on "this row is above its baseline arm", corrected over the whole table; empty for
            the baseline arm, and where nothing was tested.
    """

    cell: str
    label: str
    arm: Mapping[str, str]
    kind: str
    group: str
    planned: int
    seeds: tuple[int, ...]
    failed: tuple[Failure, ...]
    values: Mapping[str, Value]
    marks: Mapping[str, Mark]
    parameters: float | None
    seconds: float | None
    epochs: float | None
    branch_weight: Value | None
    reference: bool
    trials: int | None = None
    against: Mapping[str, Verdict] = field(default_factory=dict)

    def side(self, metric: str) -> int:
        """1 where the row is shown to be above its baseline arm, -1 below, 0 where that is not decided."""
        verdict = self.against.get(metric)
        return {"supported": 1, "refuted": -1}.get(verdict.outcome, 0) if verdict else 0
