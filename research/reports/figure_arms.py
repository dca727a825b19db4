"""Figure: the metric of each arm with seeds and spread, the baseline arm, the rows without training."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes

from research.reports.digits import metric_name, score
from research.reports.drawing import Plot, canvas, score_axis, short_labels, spoken, style
from research.reports.palette import INK, styles
from research.reports.row import Row

REACH = 1.0
"""A line farther from the arms than this many times their own range is named at the edge instead of drawn."""


def arms_figure(rows: Sequence[Row], metric: str) -> Plot | None:
    """Dot plot of one group's rows; None when no arm has a value."""
    arms = [row for row in rows if row.kind == "model" and metric in row.values]
    if not arms:
        return None
    simple = [row for row in rows if row.kind != "model" and metric in row.values]
    looks, names = styles(rows), short_labels(rows)
    with style():
        figure = canvas(0.95 + 0.34 * len(arms) + 0.2 * len(simple))
        ax = figure.add_subplot()
        for place, row in enumerate(arms):
            value, look = row.values[metric], looks[row.cell]
            ax.errorbar(value.mean, place, xerr=value.std, color=look.color, linewidth=1.6, zorder=2)
            ax.plot(
                value.per_seed,
                [place + 0.26] * len(value.per_seed),
                "o",
                color=look.color,
                alpha=0.7,
                markersize=3,
            )
            ax.plot(value.mean, place, look.marker, color=look.color, markersize=7.5, zorder=3)
            if row.reference:
                ax.axvline(value.mean, color=look.color, linewidth=1.2, linestyle="--", zorder=1)
        ax.set_yticks(range(len(arms)), [fill(names[row.cell], 18) for row in arms])
        ax.set_ylim(len(arms) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        score_axis(ax, "x")
        ax.set_xlabel(metric_name(metric))
        _simple_lines(ax, simple, arms, metric)
    return Plot(
        name="arms",
        title=f"{metric_name(metric)} by arm",
        figure=figure,
        caption=(
            "Large mark: mean over seeds. Whisker: one sample standard deviation over seeds to each side. "
            "Small dots below it: single seeds. Dashed line: the baseline arm. "
            "Dotted lines: rows without training."
        ),
        alt=f"{metric_name(metric)} by arm: {spoken([*arms, *simple], metric)}.",
    )


def _simple_lines(ax: Axes, simple: Sequence[Row], arms: Sequence[Row], metric: str) -> None:
    """A dotted line for each row without training, named above the axes; far ones only named, at the edge."""
    points = [point for row in arms for point in row.values[metric].per_seed]
    points += [row.values[metric].mean + sign * (row.values[metric].std or 0) for row in arms for sign in (-1, 1)]
    low, high = min(points), max(points)
    room = (high - low) or 0.1 * abs(high) or 0.01
    means = [row.values[metric].mean for row in simple]
    near = [mean for mean in means if low - REACH * room <= mean <= high + REACH * room]
    low, high = min([low, *near]) - 0.08 * room, max([high, *near]) + 0.08 * room
    ax.set_xlim(low, high)
    for level, (row, mean) in enumerate(zip(simple, means, strict=True)):
        text = f"{row.label} {score(mean)}"
        share = (mean - low) / (high - low)
        height = 5 + 14 * level
        if 0 <= share <= 1:
            ax.axvline(mean, color=INK, linewidth=1.2, linestyle=":", zorder=1)
        else:
            text = f"← {text}" if share < 0 else f"{text} →"
        side = "left" if share < 0.34 else "right" if share > 0.66 else "center"
        ax.annotate(
            text,
            (min(max(share, 0.0), 1.0), 1.0),
            xycoords="axes fraction",
            xytext=(0, height),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=9,
        )
