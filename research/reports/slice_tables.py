"""The tables of all slicings, arms by buckets, tested as on the page; and all of them in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from research.reports.comparison_notes import slice_notes
from research.reports.digits import metric_name
from research.reports.grid import Cell, Column, Grid, Line, metric_cell
from research.reports.markdown import escape, table_lines
from research.reports.records import StudyRecords
from research.reports.slices import Bucket, Slicing, sliced


def slice_tables(
    records: StudyRecords, metric: str, slices: Sequence[tuple[Slicing, Sequence[Bucket]]] | None = None
) -> str:
    """A table for each slicing and group.

    Args:
        metric: the one that is shown.
        slices: from ``sliced``; made here when None.

    Raises:
        UserError: as ``rows``.
    """
    lines: list[str] = []
    for slicing, buckets in sliced(records, [metric]) if slices is None else slices:
        for group in dict.fromkeys(bucket.group for bucket in buckets):
            inside = [bucket for bucket in buckets if bucket.group == group]
            title = f"{metric_name(metric)} by {slicing.words}{f': {group}' if group else ''}"
            lines += [f"**{escape(title)}**", "", *table_lines(slice_grid(inside, metric)), ""]
        foot = [f"- {escape(line)}" for line in slice_notes(records, buckets)]
        lines += [*foot, ""] if foot else []
    return "\n".join(lines)


def slice_grid(buckets: Sequence[Bucket], metric: str) -> Grid:
    """A line for each arm, a column for each bucket of one group."""
    columns = [Column("Arm", numeric=False), *(Column(f"{one.name} ({one.counted})") for one in buckets)]
    lines = []
    for at, row in enumerate(buckets[0].rows):
        cells = [Cell(row.label, order=row.label), *(metric_cell(one.rows[at], metric) for one in buckets)]
        lines.append(Line(row, tuple(cells), rule=False))
    return Grid(tuple(columns), tuple(lines))
