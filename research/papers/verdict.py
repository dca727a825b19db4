"""Is a published value reached? The rule of Petrov and Macdonald (RecSys 2022): within five per cent of it.

better      above by more than the tolerance
reached     within the tolerance
near        below by more than that, within twice the tolerance
missed      below by more
"""

from __future__ import annotations

from typing import Literal

Verdict = Literal["better", "reached", "near", "missed"]
ORDER: tuple[Verdict, ...] = ("missed", "near", "reached", "better")
SLACK = 1e-9
"""A bound counts as kept: 0.95 x 0.2 is a hair above 0.19 in floating point."""


def difference(ours: float, published: float) -> float:
    """Relative: 0.02 is two per cent above the published value."""
    return ours / published - 1.0


def verdict(ours: float, published: float, tolerance: float) -> Verdict:
    """Of one value."""
    off = difference(ours, published)
    if off > tolerance + SLACK:
        return "better"
    if off >= -tolerance - SLACK:
        return "reached"
    return "near" if off >= -2 * tolerance - SLACK else "missed"


def worst(verdicts: list[Verdict]) -> Verdict:
    """Of a row: a row is as good as its worst metric."""
    return min(verdicts, key=ORDER.index)
