"""One colour and one marker per fusion, the same in every figure of every study.

The seven colours were searched so that any two stay at least 25 CIELAB units apart in normal sight and under
simulated protanopia, deuteranopia and tritanopia (Machado et al. 2009), and so that each keeps a contrast of
2.7 or more against both a white and a near-black page. The marker repeats what the colour says. More colours would not
be told apart; so the other fusions share twelve, each with a marker of its own, kin of one fusion rather apart.
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
MORE: dict[str, tuple[str, str]] = {
    "bilinear": ("#CC88AA", "<"),
    "clsr": ("#775599", ">"),
    "max_interest": ("#77AA00", "p"),
    "fissa": ("#AA4466", "h"),
    "item_similarity": ("#9999BB", "*"),
    "feature_gate": ("#2255DD", "d"),
    "trilinear": ("#2255DD", "*"),
    "user_gate": ("#BB9922", "h"),
    "distance": ("#BB9922", "p"),
    "cross_attention": ("#666600", "d"),
    "slirec": ("#666600", "*"),
    "mixture": ("#AA88EE", "p"),
    "hierarchical": ("#AA88EE", "<"),
    "same_branch_twice": ("#11AA99", "d"),
    "initial_state": ("#11AA99", "p"),
    "long_max_interest": ("#EE0066", "d"),
    "product": ("#EE0066", "*"),
    "weighted_twin": ("#AA2299", "h"),
    "wide_long": ("#AA2299", "p"),
    "random_gate": ("#CC88AA", "d"),
    "concat_mlp": ("#775599", "p"),
    "two_attentions": ("#77AA00", "d"),
    "time_decayed": ("#AA4466", "s"),
}
"""The rest of the shipped fusions; one that stands nowhere here takes a spare look by its name."""
Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = ("-", "--", ":", "-.")
Filling = Literal["full", "none", "left", "top"]
FILLINGS: dict[Dash, Filling] = {"-": "full", "--": "none", ":": "left", "-.": "top"}
"""How a mark without a line is filled, in the place of the line's dash."""


@dataclass(frozen=True)
class Style:
    """How an arm is drawn."""

    color: str
    marker: str
    dash: Dash

    @property
    def filling(self) -> Filling:
        return FILLINGS[self.dash]


def fusion_of(row: Row) -> str:
    """The fusion's name: from the arm, or the part of the label behind the last bar."""
    return row.arm.get("fusion") or row.label.rsplit("|", 1)[-1].strip()


def look_of(fusion: str) -> tuple[str, str]:
    """Colour and marker of a fusion's name, the same in every figure."""
    return FUSIONS.get(fusion) or MORE.get(fusion) or SPARE[zlib.crc32(fusion.encode()) % len(SPARE)]


def styles(rows: Sequence[Row]) -> dict[str, Style]:
    """Cell -> style. Arms that share a colour differ by dash.

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
        color, marker = look_of(name)
        found[row.cell] = Style(color, marker, DASHES[met.get(color, 0) % len(DASHES)])
        met[color] = met.get(color, 0) + 1
    return found
