"""Figure: validation metric while training, by epoch and by seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from research.reports.drawing import Plot, canvas, score_axis, short_labels, style
from research.reports.legend import legend_below
from research.reports.palette import styles
from research.reports.ranks import Curves
from research.reports.row import Row


def curves_figure(rows: Sequence[Row], curves: Mapping[str, Sequence[Curves]]) -> Plot | None:
    """One thin line per run, a mark at its best epoch; None when no run left a curve.

    Args:
        rows: one group's rows.
        curves: cell -> the curves of its finished runs.
    """
    arms = [row for row in rows if row.kind == "model" and curves.get(row.cell)]
    if not arms:
        return None
    looks, names = styles(rows), short_labels(rows)
    timed = any((curve.seconds_E == curve.seconds_E).any() for row in arms for curve in curves[row.cell])
    panels = ["Epoch", "Seconds of training"][: 1 + timed]
    with style():
        figure = canvas(2.1 * len(panels) + 0.5 + 0.21 * ((len(arms) + 1) // 2))
        axes = figure.subplots(len(panels), 1, sharey=True, squeeze=False)[:, 0]
        for row in arms:
            look = looks[row.cell]
            for curve in curves[row.cell]:
                best = int(curve.validation_E.argmax())
                for ax, x_E in zip(axes, (curve.epoch_E, curve.seconds_E), strict=False):
                    ax.plot(x_E, curve.validation_E, look.dash, color=look.color, linewidth=1.1, alpha=0.75)
                    ax.plot(x_E[best], curve.validation_E[best], look.marker, color=look.color, markersize=5)
        for ax, heading in zip(axes, panels, strict=True):
            ax.set_xlabel(heading)
            ax.set_ylabel("Validation NDCG@10")
            score_axis(ax, "y")
        legend_below(figure, [(names[row.cell], looks[row.cell]) for row in arms])
    return Plot(
        name="curves",
        title="Learning curves",
        figure=figure,
        caption="Validation NDCG@10, one line per seed; the mark is the run's best epoch, which was tested.",
        alt=f"Validation NDCG@10 against {' and '.join(p.lower() for p in panels)} for "
        f"{', '.join(names[row.cell] for row in arms)}.",
    )
