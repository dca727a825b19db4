"""All figures of a study, in the order of the page. A figure without data is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from research.reports.drawing import Plot
from research.reports.figure_arms import arms_figure
from research.reports.figure_curves import curves_figure
from research.reports.figure_lengths import lengths_figure, weights_figure
from research.reports.ranks import Curves, read_curves
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.slices import Bucket


def figures(
    records: StudyRecords, rows: Sequence[Row], buckets: Sequence[Bucket], metric: str
) -> list[tuple[str, list[Plot]]]:
    """Group -> its figures, groups in the order of the rows.

    Raises:
        UserError: a ``curves.parquet`` that cannot be read.
    """
    curves: dict[str, list[Curves]] = {}
    for run in records.finished:
        curve = read_curves(run.directory / "curves.parquet")
        if curve is not None:
            curves.setdefault(run.cell, []).append(curve)
    found = []
    for number, group in enumerate(dict.fromkeys(row.group for row in rows)):
        inside = [row for row in rows if row.group == group]
        lengths = [bucket for bucket in buckets if bucket.group == group]
        drawn = [
            arms_figure(inside, metric),
            curves_figure(inside, curves),
            lengths_figure(lengths, metric),
            weights_figure(lengths),
        ]
        plots = [plot if number == 0 else replace(plot, name=f"{plot.name}-{number + 1}") for plot in drawn if plot]
        found.append((group, plots))
    return found
