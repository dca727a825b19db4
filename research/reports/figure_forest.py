"""Figure: the paired difference of each row to its baseline arm, with the interval of its verdict.

Users are pairs, seeds are replicates. An interval is drawn at the level at which its own test was taken, corrected over
all tests of the table, so figure and table say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from research.reports.digits import metric_name, score
from research.reports.drawing import Plot, canvas, score_axis, short_labels, style
from research.reports.palette import INK, Style, styles
from research.reports.row import Row

DECIDED = ("supported", "refuted")


def forest_figure(rows: Sequence[Row], metric: str) -> Plot | None:
    """Differences of one group's trained arms; None where no arm was tested against a baseline arm."""
    found = [(row, row.against[metric]) for row in rows if row.kind == "model" and metric in row.against]
    if not found:
        return None
    looks, names = styles(rows), short_labels(rows)
    with style():
        figure = canvas(0.75 + 0.34 * len(found))
        ax = figure.add_subplot()
        ax.axvline(0, color=INK, linewidth=1.2, linestyle="--", zorder=1)
        for place, (row, said) in enumerate(found):
            look: Style = looks[row.cell]
            ends = [said.interval.low, said.interval.high]
            ax.plot(ends, [place, place], color=look.color, linewidth=1.8, zorder=2)
            filling = "full" if said.outcome in DECIDED else "none"
            ax.plot(said.difference, place, look.marker, color=look.color, fillstyle=filling, markersize=7.5)
        ax.set_yticks(range(len(found)), [fill(names[row.cell], 18) for row, _ in found])
        ax.set_ylim(len(found) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        score_axis(ax, "x")
        ax.set_xlabel(f"{metric_name(metric)}, arm less its baseline arm")
    return Plot(
        name="forest",
        title="Difference to the baseline arm",
        figure=figure,
        caption="Paired by user, averaged over seeds. Line: interval over users and seeds, at the level of the arm's "
        "own test after correction for the number of tests. Full mark: decided. Hollow mark: undecided at this size.",
        alt=f"{metric_name(metric)}, arm less its baseline arm, with intervals: "
        + ", ".join(
            f"{names[row.cell]} {score(said.difference)} ({score(said.interval.low)} to {score(said.interval.high)}, "
            f"{said.outcome})"
            for row, said in found
        )
        + ".",
    )
