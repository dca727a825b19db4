"""The stable order of rows: group, then rows without training, then arms in the order of the study's axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from research.reports.records import StudyRecords
from research.reports.row import Row

SIMPLE = ("random", "popularity", "recent popularity", "itemknn", "ease")
"""Rows without training, simplest first; others follow by name."""

Place = tuple[tuple[int, str], ...]


def in_order(records: StudyRecords, rows: Sequence[Row]) -> list[Row]:
    """Sort rows; equal keys cannot occur, as the cell's name is the last part of the key."""
    first_of_group: dict[str, Place] = {}
    for row in rows:
        if row.kind == "model":
            place = _axis_place(records, row.arm)
            first_of_group[row.group] = min(place, first_of_group.get(row.group, place))

    def key(row: Row) -> tuple:
        name = row.label.lower().replace("_", " ")
        simple = SIMPLE.index(name) if name in SIMPLE else len(SIMPLE)
        group = (row.group not in first_of_group, first_of_group.get(row.group, ()), row.group)
        within = (1, 0, _axis_place(records, row.arm)) if row.kind == "model" else (0, simple, ())
        return (*group, *within, row.label, row.cell)

    return sorted(rows, key=key)


def _axis_place(records: StudyRecords, arm: Mapping[str, str]) -> Place:
    """Position along each axis; a value that the study no longer lists goes behind those it does."""
    at = {axis: arm.get(axis, "") for axis in records.axes}
    return tuple(
        (values.index(at[axis]) if at[axis] in values else len(values), at[axis])
        for axis, values in records.axes.items()
    )
