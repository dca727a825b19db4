"""Figure: the metric over two axes of the grid, such as encoder x fusion.

With more than two axes that differ, the fusion (else the last axis) is one side and the other axes together are the
other, so that nothing is averaged away. The longer side goes down, as a phone has more height than width.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from research.reports.digits import metric_name, score
from research.reports.drawing import Plot, canvas, style
from research.reports.palette import INK, look_of
from research.reports.row import Row

COLORS = colormaps["cividis"]
"""Made to read alike with and without colour vision (Nunez, Anderton and Renslow, PLOS ONE 13, 2018)."""
ROOM = 7
"""Columns up to which a value fits into its cell."""


def heatmap_figure(rows: Sequence[Row], metric: str) -> Plot | None:
    """One cell an arm of one group; None unless two axes have two values each among the finished arms."""
    arms = [row for row in rows if row.kind == "model" and metric in row.values]
    varied = [axis for axis in (arms[0].arm if arms else {}) if len({row.arm.get(axis) for row in arms}) > 1]
    if len(varied) < 2:
        return None
    single = "fusion" if "fusion" in varied else varied[-1]
    others = [axis for axis in varied if axis != single]
    cells = {(" · ".join(row.arm.get(axis, "") for axis in others), row.arm.get(single, "")): row for row in arms}
    down, across = (list(dict.fromkeys(key[side] for key in cells)) for side in (0, 1))
    headings = (" · ".join(others), single)
    if len(across) > len(down):
        cells = {(second, first): row for (first, second), row in cells.items()}
        down, across, headings = across, down, headings[::-1]
    mean = {key: row.values[metric].mean for key, row in cells.items()}
    with style():
        figure = canvas(1.5 + 0.36 * len(down))
        ax = figure.add_subplot()
        _cells(ax, down, across, mean)
        ax.set_xticks(range(len(across)), [fill(name, 12) for name in across], rotation=40, ha="left")
        ax.set_yticks(range(len(down)), [fill(name, 20) for name in down])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        ax.set_ylabel(headings[0])
        ax.set_xlabel(headings[1])
        for at, name in enumerate(down if headings[0] == "fusion" else across if headings[1] == "fusion" else ()):
            color, marker = look_of(name)
            place = (len(across) - 0.25, at) if headings[0] == "fusion" else (at, len(down) - 0.25)
            ax.plot(*place, marker, color=color, markersize=5, clip_on=False)
    return Plot(
        name="heatmap",
        title=f"{metric_name(metric)} by {headings[0]} and {headings[1]}",
        figure=figure,
        caption="Mean over seeds; the lighter, the higher. An empty cell has no finished run."
        + " The marks are the fusions' marks of the other figures." * ("fusion" in headings),
        alt=f"{metric_name(metric)} by {headings[0]} and {headings[1]}: "
        + ", ".join(f"{row} with {column} {score(value)}" for (row, column), value in mean.items())
        + ".",
    )


def _cells(ax: Axes, down: Sequence[str], across: Sequence[str], mean: dict[tuple[str, str], float]) -> None:
    """Rectangles, so that the file holds shapes and no picture."""
    scale = Normalize(min(mean.values()), max(mean.values()) or 1.0)
    for (row, column), value in mean.items():
        x, y = across.index(column), down.index(row)
        color = COLORS(float(scale(value)))
        ax.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=color, edgecolor=INK, linewidth=0.4))
        if len(across) <= ROOM:
            ink = "#ffffff" if _luminance(color[:3]) < 0.179 else "#000000"  # whichever has the higher contrast
            ax.text(x, y, score(value), ha="center", va="center", fontsize=8, color=ink)
    ax.set_xlim(-0.5, len(across) - 0.1)
    ax.set_ylim(len(down) - 0.1, -0.5)


def _luminance(color: tuple[float, ...]) -> float:
    """Relative luminance (WCAG 2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
