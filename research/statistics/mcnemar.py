"""McNemar's test: do two runs hit the same share of users?

Only users whom one run hits and the other misses count. Under no difference each of the n = b + c of them is as likely
on either side, so the smaller count k is binomial(n, 1/2):

    exact   p = min(1, 2 P(X <= k))
    mid-p   exact p - P(X = k), or exact p - P(X = k) / 2 where b = c

The exact test rejects less often than it says. Mid-p counts outcomes as extreme as the observed one by half, and b = c
is one such outcome instead of two. On average over n it stays below its level and closer to it; for a given small n it
may exceed it (.077 for .05 at n = 16). Source: Fagerland, Lydersen, Laake, BMC Medical Research Methodology 13:91
(2013).

Hits are of two runs, one seed each: a hit averaged over seeds is no hit, take the sign-flip test there.

Shape legend: U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from research.errors import UserError


@dataclass(frozen=True)
class McNemar:
    """The test's result.

    Attributes:
        first_only: users whom only the first run hits; ``second_only`` likewise.
        exact_p: two-sided, never too small.
        mid_p: two-sided, closer to the stated level.
    """

    first_only: int
    second_only: int
    exact_p: float
    mid_p: float


def mcnemar_test(first_U: np.ndarray, second_U: np.ndarray) -> McNemar:
    """Compare the hits of two runs on the same users.

    Args:
        first_U: 1 for a hit, 0 for a miss (or booleans); likewise ``second_U``.

    Raises:
        UserError: different numbers of users, or a value that is neither hit nor miss.
    """
    first_U, second_U = np.asarray(first_U), np.asarray(second_U)
    if first_U.ndim != 1 or first_U.shape != second_U.shape:
        raise UserError(f"McNemar's test needs the same users twice; got {first_U.shape} and {second_U.shape}.")
    for hit_U in (first_U, second_U):
        if not np.isin(hit_U, (0, 1)).all():
            raise UserError(
                "McNemar's test takes hits of one run, 0 or 1; a value in between is a tie in score or a mean over "
                "seeds. Use the sign-flip test for it."
            )
    b = int(np.count_nonzero(first_U > second_U))
    c = int(np.count_nonzero(second_U > first_U))
    if b + c == 0:
        return McNemar(first_only=0, second_only=0, exact_p=1.0, mid_p=1.0)
    k = min(b, c)
    up_to = float(bdtr(k, b + c, 0.5))
    point = up_to - (float(bdtr(k - 1, b + c, 0.5)) if k else 0.0)
    exact_p = min(1.0, 2 * up_to)
    return McNemar(first_only=b, second_only=c, exact_p=exact_p, mid_p=exact_p - (point / 2 if b == c else point))
