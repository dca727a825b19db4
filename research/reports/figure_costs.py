"""Figure: what an arm's metric costs, in seconds of training and in parameters."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from research.reports.digits import amount, metric_name, score
from research.reports.drawing import Plot, canvas, score_axis, short_labels, style
from research.reports.legend import legend_below
from research.reports.palette import styles
from research.reports.row import Row

WIDE = 8
"""Largest over smallest cost from which the axis is logarithmic."""


def costs_figure(rows: Sequence[Row], metric: str) -> Plot | None:
    """One mark an arm of one group; a cost in which the arms do not differ is left out, None when all are."""
    arms = [row for row in rows if row.kind == "model" and metric in row.values]
    costs = {
        "Seconds of training": {row.cell: row.seconds for row in arms if row.seconds},
        "Parameters": {row.cell: row.parameters for row in arms if row.parameters},
    }
    panels = {heading: known for heading, known in costs.items() if len(set(known.values())) > 1}
    if not panels:
        return None
    looks, names = styles(rows), short_labels(rows)
    drawn = [row for row in arms if any(row.cell in known for known in panels.values())]
    with style():
        figure = canvas(2.1 * len(panels) + 0.5 + 0.21 * ((len(drawn) + 1) // 2))
        axes = figure.subplots(len(panels), 1, sharey=True, squeeze=False)[:, 0]
        for ax, (heading, known) in zip(axes, panels.items(), strict=True):
            for row in drawn:
                if row.cell in known:
                    value, look = row.values[metric], looks[row.cell]
                    ax.errorbar(known[row.cell], value.mean, yerr=value.std, color=look.color, linewidth=1.0)
                    ax.plot(
                        known[row.cell],
                        value.mean,
                        look.marker,
                        color=look.color,
                        fillstyle=look.filling,
                        markersize=7,
                    )
            _cost_axis(ax, list(known.values()))
            ax.set_xlabel(heading)
            ax.set_ylabel(metric_name(metric))
            score_axis(ax, "y")
        legend_below(figure, [(names[row.cell], looks[row.cell]) for row in drawn], points=True)
    return Plot(
        name="costs",
        title=f"{metric_name(metric)} against its cost",
        figure=figure,
        caption="Means over seeds; whisker one sample standard deviation to each side. Seconds depend on the machine.",
        alt=f"{metric_name(metric)} against {' and '.join(heading.lower() for heading in panels)}: "
        + ", ".join(f"{names[row.cell]} {score(row.values[metric].mean)}{_words(row, panels)}" for row in drawn)
        + ".",
    )


def _cost_axis(ax: Axes, known: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if max(known) > WIDE * min(known):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        ax.xaxis.set_minor_formatter(NullFormatter())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(4))
    # matplotlib's own labels of a logarithmic axis are formulas, and a formula in a label of ours stays text.
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1e6:g} M" if x >= 1e6 else f"{x:,g}"))


def _words(row: Row, panels: dict[str, dict[str, float]]) -> str:
    unit = {"Seconds of training": "seconds", "Parameters": "parameters"}
    said = [f"{amount(known[row.cell])} {unit[name]}" for name, known in panels.items() if row.cell in known]
    return f" ({', '.join(said)})" if said else ""
