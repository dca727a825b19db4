"""Figures by history length: the metric, and the weight of the long branch.

Where each user has one held-out item, the length of the history is also that item's position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.figure import Figure

from research.reports.digits import metric_name, score
from research.reports.drawing import Plot, canvas, score_axis, short_labels, style
from research.reports.legend import legend_below
from research.reports.palette import INK, Style, styles
from research.reports.row import Row, Value
from research.reports.slices import Bucket

AXIS = "Length of history"
SIMPLE_MARKS = ("1", "2", "3", "4", "+", "x")


def lengths_figure(buckets: Sequence[Bucket], metric: str) -> Plot | None:
    """The metric of every row in each bucket of one group; None with fewer than two buckets."""
    name = metric_name(metric)
    figure = by_bucket(buckets, lambda row: row.values.get(metric), name, AXIS, simple=True)
    return figure and Plot(
        name="lengths",
        title=f"{name} by history length",
        figure=figure[0],
        caption=f"Mean over seeds, whisker one sample standard deviation; below each bucket its {counted(buckets)}. "
        "Grey dotted lines: rows without training.",
        alt=f"{name} by history length; its values are in the table of short and long histories.",
    )


def weights_figure(buckets: Sequence[Bucket]) -> Plot | None:
    """Mean weight of the long branch in each bucket, for arms that have weights; None when no arm has."""
    return weights_by(buckets, "weights", "history length", AXIS)


def weights_by(buckets: Sequence[Bucket], name: str, what: str, axis: str) -> Plot | None:
    """The weight of the long branch in any buckets of users."""
    figure = by_bucket(buckets, lambda row: row.branch_weight, "Weight of the long branch", axis, simple=False)
    if figure is None:
        return None
    ax = figure[0].axes[0]
    ax.set_ylim(0, 1)
    ax.axhline(0.5, color=INK, linewidth=1, linestyle=":", zorder=1)
    return Plot(
        name=name,
        title=f"Weight of the long branch by {what}",
        figure=figure[0],
        caption="Mean over users, then seeds; whisker one sample standard deviation over seeds. "
        "At .5 (dotted) both branches count alike.",
        alt=f"Mean weight of the long branch by {what}. {figure[1]}",
    )


def by_bucket(
    buckets: Sequence[Bucket], value_of: Callable[[Row], Value | None], heading: str, axis: str, *, simple: bool
) -> tuple[Figure, str] | None:
    """The shared drawing and its values in words; None when there is nothing to draw."""
    rows = [row for row in (buckets[0].rows if buckets else ()) if simple or row.kind == "model"]
    series = {row.cell: [value_of(_same(bucket, row)) for bucket in buckets] for row in rows}
    drawn = [row for row in rows if any(value is not None for value in series[row.cell])]
    if len(buckets) < 2 or not any(row.kind == "model" for row in drawn):
        return None
    looks, names = styles(rows), short_labels(rows)
    grey = iter(SIMPLE_MARKS * len(drawn))
    with style():
        figure = canvas(3.0 + 0.21 * ((len(drawn) + 1) // 2))
        ax = figure.add_subplot()
        entries = []
        for order, row in enumerate(drawn):
            look = looks.get(row.cell) or Style(INK, next(grey), ":")
            shift = 0.5 * ((order + 0.5) / len(drawn) - 0.5)
            known = [(at + shift, value) for at, value in enumerate(series[row.cell]) if value is not None]
            ax.errorbar(
                [at for at, _ in known],
                [value.mean for _, value in known],
                yerr=[value.std or 0 for _, value in known],
                color=look.color,
                marker=look.marker,
                linestyle=look.dash,
                markersize=4.5,
                linewidth=0.8,
                elinewidth=0.9,
                alpha=0.85,
            )
            entries.append((names[row.cell], look))
        ax.set_xticks(range(len(buckets)), [f"{bucket.name}\n{bucket.queries or bucket.users:,}" for bucket in buckets])
        ax.grid(visible=False, axis="x")
        ax.set_xlabel(f"{axis} ({counted(buckets)} below)")
        ax.set_ylabel(heading)
        score_axis(ax, "y")
        legend_below(figure, entries)
    words = [
        f"{bucket.name}: "
        + ", ".join(
            f"{names[row.cell]} {score(value.mean)}" for row in drawn if (value := series[row.cell][at]) is not None
        )
        for at, bucket in enumerate(buckets)
    ]
    return figure, "; ".join(words) + "."


def counted(buckets: Sequence[Bucket]) -> str:
    """What the number below a bucket is of."""
    return "test users" if buckets[0].queries is None else "test queries"


def _same(bucket: Bucket, row: Row) -> Row:
    return next(other for other in bucket.rows if other.cell == row.cell)
