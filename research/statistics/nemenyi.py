"""Nemenyi's critical difference: which arms differ in mean rank over data sets?

After Friedman's test, two of A arms differ at level alpha when their mean ranks over D data sets are at least

    CD = q / sqrt(2) * sqrt(A (A + 1) / (6 D))

apart, q being the upper alpha point of the studentized range of A. All pairs together have level alpha. With a declared
baseline, testing each arm against it and correcting by Holm finds more.

Source: Nemenyi 1963; Demsar, JMLR 7 (2006), section 3.2.2 and table 5.

Shape legend: A arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.studentized_range import upper_point, upper_tail


@dataclass(frozen=True, eq=False)
class Nemenyi:
    """The comparison of all pairs.

    Attributes:
        critical_difference: of mean ranks.
        p_AA: for each pair, corrected for all pairs; 1 on the diagonal.
        groups: largest sets of arms, best first, within which no two differ: the bars of a critical-difference figure.
            Indices into the mean ranks; arms that differ from all others stand in no group.
    """

    mean_rank_A: np.ndarray
    critical_difference: float
    p_AA: np.ndarray
    groups: tuple[tuple[int, ...], ...]


def nemenyi_test(mean_rank_A: Sequence[float] | np.ndarray, datasets: int, alpha: float = 0.05) -> Nemenyi:
    """Compare mean ranks, 1 being best.

    Raises:
        UserError: fewer than two arms or data sets, an alpha outside of (0, 1).
    """
    rank_A = np.asarray(mean_rank_A, dtype=np.float64)
    arms = len(rank_A)
    if arms < 2 or datasets < 2:
        raise UserError(f"A critical difference needs two arms and two data sets at least; got {arms} and {datasets}.")
    if not 0 < alpha < 1:
        raise UserError(f"Alpha lies between 0 and 1, such as 0.05; got {alpha}.")
    unit = (arms * (arms + 1) / (6 * datasets)) ** 0.5 / 2**0.5
    apart_AA = np.abs(rank_A[:, None] - rank_A)
    critical = upper_point(alpha, arms) * unit
    p_AA = np.array([[upper_tail(apart / unit, arms) for apart in row] for row in apart_AA])
    return Nemenyi(rank_A, critical, p_AA, _groups(rank_A, critical))


def _groups(rank_A: np.ndarray, critical: float) -> tuple[tuple[int, ...], ...]:
    """From each arm down to the last that is less than the critical difference away, without sets inside of others."""
    order = np.argsort(rank_A, kind="stable").tolist()
    found: list[tuple[int, ...]] = []
    reached = 0
    for start in range(len(order)):
        stop = start + sum(rank_A[other] - rank_A[order[start]] < critical for other in order[start:])
        if stop > reached and stop - start > 1:
            found.append(tuple(order[start:stop]))
        reached = max(reached, stop)
    return tuple(found)
