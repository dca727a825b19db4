"""Each row against the study's baseline arm: the verdicts behind the daggers of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING

from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.scores import Selection
from research.reports.tested import Asked, judged, runs_of
from research.statistics.claims import Claim

if TYPE_CHECKING:
    from research.statistics.verdict import Verdict


@dataclass(frozen=True)
class Part:
    """Rows over the users that ``select`` picks, everyone when None: a whole table, or one bucket of a slice."""

    rows: tuple[Row, ...]
    select: Selection | None = None


def against_baseline(records: StudyRecords, parts: Sequence[Part], metrics: Sequence[str]) -> list[tuple[Row, ...]]:
    """The rows of each part with their verdicts; all comparisons of all parts are one family.

    Args:
        records: of the study.
        parts: the rows, of which those of a group are compared within it.
        metrics: those that are tested.
    """
    runs = runs_of(records)
    asked: list[Asked] = []
    places: list[tuple[int, str, str]] = []
    for number, part in enumerate(parts):
        for row in part.rows:
            reference = baseline_of(row, part.rows, records.baseline)
            if reference is None or reference is row or not row.values or not reference.values:
                continue
            for name in metrics:
                if isnan(row.values[name].mean):  # a bucket without users in this group is no test
                    continue
                claim = Claim(row.label, reference.label, name, f"{row.label} > {reference.label} on {name}")
                asked.append(Asked(claim, runs[row.cell], runs[reference.cell], part.select))
                places.append((number, row.cell, name))
    found: dict[tuple[int, str], dict[str, Verdict]] = {}
    for (number, cell, name), verdict in zip(places, judged(records, asked), strict=True):
        if verdict is not None:
            found.setdefault((number, cell), {})[name] = verdict
    return [
        tuple(replace(row, against=found.get((number, row.cell), {})) for row in part.rows)
        for number, part in enumerate(parts)
    ]


def baseline_of(row: Row, among: Sequence[Row], baseline: Mapping[str, str]) -> Row | None:
    """The arm of the same group that differs from ``row`` only by the study's baseline values.

    An arm is described by the axes that it reads: a long branch alone has no short encoder, so what it does not name
    cannot differ. A row that names too little to tell, as one without training, has a baseline arm when there is only
    one that it may be.
    """
    wanted = {**row.arm, **baseline}
    arms = [other for other in among if other.group == row.group and other.reference] if baseline else []
    arms = [other for other in arms if all(wanted.get(axis, value) == value for axis, value in other.arm.items())]
    alike = [other for other in arms if other.arm.keys() <= wanted.keys()]
    return max(alike, key=lambda other: len(other.arm), default=arms[0] if len(arms) == 1 else None)
