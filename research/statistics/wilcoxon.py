"""Wilcoxon signed-rank test over users, two-sided, with the treatment of zeros named.

|d_u| is ranked, equal ones share their mean rank, and W+ is the sum of the ranks of positive d_u. Zeros:

- ``wilcox``: dropped before ranking (Wilcoxon 1945);
- ``pratt``: ranked, then dropped (Pratt 1959), so the other ranks know how many zeros there were;
- ``zsplit``: ranked, half of their ranks given to each side.

Up to ``EXACT`` users with a difference, p is exact: W+ is summed over all signs, given the ranks, ties included. Signs
of zeros are no choice, so the exact p of ``zsplit`` is that of ``pratt``. Above, the normal approximation, without
continuity correction: variance sum r^2 / 4 over the ranks, where ``zsplit`` keeps the ranks of zeros in the sum (and
so finds less).

Shape legend: U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtr

from research.errors import UserError
from research.statistics.midranks import midranks
from research.statistics.pairs import checked

Zeros = Literal["wilcox", "pratt", "zsplit"]

EXACT = 50
"""Differences up to which p is exact."""


@dataclass(frozen=True)
class Wilcoxon:
    """The test's result.

    Attributes:
        positive: W+, the sum of ranks of positive differences; ``negative`` of negative ones.
        correlation: (W+ - W-) / (W+ + W-) over users with a difference, between -1 and 1 (rank-biserial; Kerby 2014).
        z: of the normal approximation, positive when the first arm is ahead.
        p: two-sided, exact or by z.
        zeros: how users without a difference were treated.
        changed: users with a difference.
    """

    positive: float
    negative: float
    correlation: float
    z: float
    p: float
    exact: bool
    zeros: Zeros
    changed: int


def wilcoxon_test(difference_U: np.ndarray, zeros: Zeros = "pratt") -> Wilcoxon:
    """Test that the differences are symmetric about zero.

    Raises:
        UserError: an unknown treatment of zeros, fewer than two users, a difference that is not finite.
    """
    if zeros not in get_args(Zeros):
        raise UserError(f"Unknown treatment of zeros {zeros!r}. Known: {', '.join(get_args(Zeros))}.")
    difference_U = checked(difference_U)
    if zeros == "wilcox":
        difference_U = difference_U[difference_U != 0]
    rank_U = midranks(np.abs(difference_U))
    changed_U = difference_U != 0
    positive, negative = float(rank_U[difference_U > 0].sum()), float(rank_U[difference_U < 0].sum())
    split = float(rank_U[~changed_U].sum()) / 2 if zeros == "zsplit" else 0.0
    counted = rank_U if zeros == "zsplit" else rank_U[changed_U]
    changed = int(changed_U.sum())
    z = (positive - negative) / float(np.sqrt(np.sum(counted**2))) if changed else 0.0
    exact = changed <= EXACT
    return Wilcoxon(
        positive=positive + split,
        negative=negative + split,
        correlation=(positive - negative) / (positive + negative) if changed else 0.0,
        z=z,
        p=_exact_p(rank_U[changed_U], positive) if exact else float(2 * ndtr(-abs(z))),
        exact=exact,
        zeros=zeros,
        changed=changed,
    )


def _exact_p(rank_U: np.ndarray, positive: float) -> float:
    """Twice the smaller tail of W+ when each rank is positive with probability 1/2."""
    doubled_U = np.rint(2 * rank_U).astype(np.int64)  # midranks are whole or half
    chance = np.zeros(int(doubled_U.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled_U:
        chance[rank:] += chance[:-rank].copy()
        chance /= 2
    at = round(2 * positive)
    return float(min(1.0, 2 * min(chance[: at + 1].sum(), chance[at:].sum())))
