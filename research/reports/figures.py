"""All figures of a study, in the order of the page. A figure without data is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from research.reports.drawing import Plot
from research.reports.figure_arms import arms_figure
from research.reports.figure_costs import costs_figure
from research.reports.figure_critical import critical_figure
from research.reports.figure_curves import curves_figure
from research.reports.figure_forest import forest_figure
from research.reports.figure_gaps import gaps_figure, rows_by_gap
from research.reports.figure_heatmap import heatmap_figure
from research.reports.figure_lengths import lengths_figure, weights_figure
from research.reports.portions import Portion, portions, within
from research.reports.ranks import Curves, read_curves
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.slices import Bucket


def figures(
    records: StudyRecords, rows: Sequence[Row], buckets: Sequence[Bucket], metric: str
) -> list[tuple[str, list[Plot]]]:
    """Group -> its figures, groups in the order of the rows; what compares over all data sets comes last.

    Raises:
        UserError: a ``curves.parquet`` that cannot be read.
    """
    curves: dict[str, list[Curves]] = {}
    for run in records.finished:
        curve = read_curves(run.directory / "curves.parquet")
        if curve is not None:
            curves.setdefault(run.cell, []).append(curve)
    gaps = rows_by_gap(records)
    found = []
    for number, group in enumerate(dict.fromkeys(row.group for row in rows)):
        inside = [row for row in rows if row.group == group]
        lengths, away = ([bucket for bucket in some if bucket.group == group] for some in (buckets, gaps))
        drawn = [arms_figure(inside, metric), forest_figure(inside, metric), heatmap_figure(inside, metric)]
        legends = [_with_legends(part, inside, curves, lengths, away, metric) for part in portions(inside)]
        drawn += [plot for alike in zip(*legends, strict=True) for plot in alike]  # all learning curves, then ...
        plots = [plot if number == 0 else replace(plot, name=f"{plot.name}-{number + 1}") for plot in drawn if plot]
        found.append((group, plots))
    critical = critical_figure(rows, records, metric)
    return [*found, ("All data sets", [critical])] if critical else found


def _with_legends(
    part: Portion,
    rows: Sequence[Row],
    curves: Mapping[str, Sequence[Curves]],
    lengths: Sequence[Bucket],
    gaps: Sequence[Bucket],
    metric: str,
) -> list[Plot | None]:
    """The figures whose legend names each arm, of a portion of the arms."""
    some = part.rows(rows)
    drawn = [
        costs_figure(some, metric),
        curves_figure(some, curves),
        lengths_figure(within(lengths, part), metric),
        weights_figure(within(lengths, part)),
        gaps_figure(within(gaps, part)),
    ]
    if not part.words:
        return drawn
    return [
        plot and replace(plot, name=f"{plot.name}-{part.slug}", title=f"{plot.title}: {part.words}") for plot in drawn
    ]
