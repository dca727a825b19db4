"""Has a fusion stopped fusing? A gate that says the same everywhere, that has shut one branch out, or has no choice.

Pure functions of what a run leaves: the weights of its positions and, where they are at hand, the two states. They
state what is so; whether it is a fault is for the reader: the gate of ``weighted`` is constant by design.

Shape legend: N positions, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONSTANT = 0.01
"""A weight whose standard deviation over positions lies below is constant."""
SHUT = 0.05
"""A branch with less weight is shut out at that position."""
NEARLY_ALL = 0.95
"""Share of positions from which on one speaks of all."""
ALIKE = 0.95
"""Correlation of the two states from which on they are one."""
STILL = 1e-9
"""Share of a state's size that rounding may leave of one that is the same at every position."""


@dataclass(frozen=True)
class Collapse:
    """How far a gate has collapsed.

    Attributes:
        long_mean, long_deviation: mean and standard deviation over positions of the long branch's weight; ``None``
            where the fusion has no weights.
        to_long, to_short: shares of positions where the other branch is shut out, likewise.
        correlation: of the two states, see ``branch_correlation``; ``None`` where it is not known.
    """

    long_mean: float | None
    long_deviation: float | None
    to_long: float | None
    to_short: float | None
    correlation: float | None

    def alarms(self) -> list[str]:
        """One sentence for each thing that is wrong; none for a gate at work."""
        found = []
        if self.long_deviation is not None and self.long_deviation < CONSTANT:
            found.append(f"constant gate: the long branch weighs {self.long_mean:.3f} nearly everywhere")
        for branch, other, share in (("long", "short", self.to_long), ("short", "long", self.to_short)):
            if share is not None and share >= NEARLY_ALL:
                found.append(
                    f"saturated gate: at {share:.0%} of positions the {branch} branch shuts the {other} one out"
                )
        if self.correlation is not None and self.correlation >= ALIKE:
            found.append(f"one branch twice: the two states correlate by {self.correlation:.3f}")
        return found


def collapse(long_weight_N: np.ndarray | None, correlation: float | None = None) -> Collapse:
    """Measure a gate.

    Args:
        long_weight_N: weight of the long branch, in [0, 1]; ``None`` or NaN where the fusion states none.
        correlation: of the two states, from ``branch_correlation`` or, block by block, from ``Moments``.
    """
    weight_N = np.empty(0) if long_weight_N is None else long_weight_N[~np.isnan(long_weight_N)].astype(np.float64)
    if not len(weight_N):
        return Collapse(None, None, None, None, correlation)
    to_long, to_short = float((weight_N > 1 - SHUT).mean()), float((weight_N < SHUT).mean())
    return Collapse(float(weight_N.mean()), float(weight_N.std()), to_long, to_short, correlation)


def branch_correlation(long_ND: np.ndarray, short_ND: np.ndarray) -> float | None:
    """Correlation of two states, over all positions and dimensions at once, each dimension centred.

    Not one that forgives rotations (CCA, CKA): gates mix the branches dimension by dimension, so only states that are
    equal dimension by dimension, up to one positive scale, leave a gate without a choice.

    Args:
        long_ND: long states.
        short_ND: short states of the same positions.

    Returns:
        In [-1, 1]; ``None`` where a state is the same at every position.
    """
    centred = []
    for state_ND in (long_ND.astype(np.float64), short_ND.astype(np.float64)):
        centred.append(state_ND - state_ND.mean(axis=0))
        if np.linalg.norm(centred[-1]) <= STILL * np.linalg.norm(state_ND):
            return None
    return float((centred[0] * centred[1]).sum() / (np.linalg.norm(centred[0]) * np.linalg.norm(centred[1])))
