"""One colour and one marker per fusion, the same in every figure of every study.

The seven colours were searched so that any two stay at least 25 CIELAB units apart in normal sight and under
simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009), and so that each keeps a contrast of
2.7 or more against both a white and a near-black page. The marker repeats what the colour says.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from research.reports.row import Row

INK = "#747679"
"""Axes and lettering: legible on white and on near-black. The page replaces it by its own text colour."""

FUSIONS: dict[str, tuple[str, str]] = {
    "long_only": ("#2255DD", "s"),
    "short_only": ("#BB9922", "D"),
    "sum": ("#666600", "P"),
    "concat": ("#AA88EE", "X"),
    "weighted": ("#11AA99", "^"),
    "gated": ("#EE0066", "o"),
    "attention": ("#AA2299", "v"),
}
SPARE = (("#CC88AA", "<"), ("#775599", ">"), ("#77AA00", "p"), ("#AA4466", "h"), ("#9999BB", "*"))
Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Style:
    """How an arm is drawn."""

    color: str
    marker: str
    dash: Dash


def fusion_of(row: Row) -> str:
    """The fusion's name: from the arm, or the part of the label behind the last bar."""
    return row.arm.get("fusion") or row.label.rsplit("|", 1)[-1].strip()


def styles(rows: Sequence[Row]) -> dict[str, Style]:
    """Cell -> style. Arms that share a fusion differ by dash.

    Where all arms have the same fusion its colour would say nothing, so the arms take the colours in turn.
    """
    arms = [row for row in rows if row.kind == "model"]
    names = [fusion_of(row) for row in arms]
    if len(set(names)) == 1 and len(arms) > 1:
        turn = list(FUSIONS)
        names = [turn[index % len(turn)] for index in range(len(arms))]
    met: dict[str, int] = {}
    found: dict[str, Style] = {}
    for row, name in zip(arms, names, strict=True):
        color, marker = FUSIONS.get(name) or SPARE[zlib.crc32(name.encode()) % len(SPARE)]
        found[row.cell] = Style(color, marker, DASHES[met.get(name, 0) % len(DASHES)])
        met[name] = met.get(name, 0) + 1
    return found
