"""What all figures share: their size, their style, and their way to SVG and PDF with the same bytes every time.

A figure is 4.2 inches wide so that its 10 point letters stay readable on a phone; letters are paths, so it
looks the same everywhere; the background is transparent. pyplot and its global state are not used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from research.reports.digits import score
from research.reports.palette import INK
from research.reports.row import Row

WIDTH = 4.2
"""Inches."""

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "research",
    "pdf.fonttype": 42,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Plot:
    """A drawn figure with its words; ``alt`` says what it shows to readers who cannot see it."""

    name: str
    title: str
    figure: Figure
    caption: str
    alt: str


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults and ours, whatever the user's own settings are."""
    with matplotlib.style.context(["default", STYLE]):
        yield


def canvas(height: float) -> Figure:
    """An empty figure, ``height`` in inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def to_svg(plot: Plot) -> str:
    """The figure as an ``<svg>`` element: no date or metadata, ids unique to the plot, alt text as label."""
    written = io.StringIO()
    with style():
        plot.figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("*{stroke", "#figure_1 *{stroke")
    svg = re.sub(r'\bid="', f'id="{plot.name}-', svg)
    svg = re.sub(r'(href="|url\(|>)#', rf"\1#{plot.name}-", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(plot.alt)}"', 1)


def to_pdf(plot: Plot) -> bytes:
    """The figure as one PDF page for a paper; TrueType letters, as journals refuse Type 3; no date."""
    written = io.BytesIO()
    with style():
        metadata = {"Title": plot.title, "CreationDate": None, "Creator": None, "Producer": None}
        plot.figure.savefig(written, format="pdf", metadata=metadata)
    return written.getvalue()


def short_labels(rows: Sequence[Row]) -> dict[str, str]:
    """Cell -> label for a figure: the values of the axes that differ, where these tell the arms apart."""
    arms = [row for row in rows if row.kind == "model"]
    known = dict.fromkeys(axis for row in arms for axis in row.arm)
    axes = [axis for axis in known if len({row.arm[axis] for row in arms if axis in row.arm}) > 1]
    brief = {row.cell: " · ".join(row.arm[axis] for axis in axes if axis in row.arm) for row in arms}
    clear = len(set(brief.values())) == len(arms) and all(brief.values())
    mark = {row.cell: " (baseline)" if row.reference else "" for row in rows}
    return {row.cell: (brief[row.cell] if clear and row.cell in brief else row.label) + mark[row.cell] for row in rows}


def score_axis(ax: Axes, which: str) -> None:
    """Tick labels without the leading zero, few enough for a narrow figure."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    class Short(ScalarFormatter):
        """matplotlib's own choice of digits, less the leading zero."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            text = super().__call__(x, pos).replace("\u2212", "-")
            return re.sub(r"^(-?)0\.", r"\1.", text)

    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(Short(useOffset=False))


def spoken(rows: Sequence[Row], metric: str) -> str:
    """``gated .0285, attention .0272``: the values of a figure for its alt text."""
    names = short_labels(rows)
    return ", ".join(f"{names[row.cell]} {score(row.values[metric].mean)}" for row in rows if metric in row.values)
