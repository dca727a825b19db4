"""A legend below the figure, in two columns, as wide figures do not fit a phone."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from research.reports.palette import Style


def legend_below(figure: Figure, entries: Sequence[tuple[str, Style]], *, points: bool = False) -> None:
    """``points``: the figure has marks without lines, so the filling tells what a dash would."""
    handles = [
        Line2D(
            [],
            [],
            color=look.color,
            marker=look.marker,
            linestyle="none" if points else look.dash,
            fillstyle=look.filling if points else "full",
            markersize=7 if points else 5,
            label=name,
        )
        for name, look in entries
    ]
    columns = 2 if max(len(name) for name, _ in entries) <= 22 else 1
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
