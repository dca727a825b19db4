"""Paired bootstrap over users: intervals of the mean difference, percentile and BCa.

Users are drawn with replacement, both arms together, so what the arms share cancels. The interval is about other users
and these very trained models; for other seeds see ``seeds_and_users`` and ``nested_bootstrap``.

BCa moves the ends of the percentile interval by the bias of the bootstrap distribution (z0) and by the skew of the
differences (a, from the jackknife): with Phi the normal distribution and z its quantile,
``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))`` takes the place of each end's share.

Source: Efron, Better bootstrap confidence intervals, JASA 82 (1987); Efron and Tibshirani (1993), chapter 14.

Shape legend: U users, R draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from research.statistics.interval import Interval, tail
from research.statistics.pairs import checked
from research.statistics.resample import Resampled, enough_draws, resampled_means


@dataclass(frozen=True, eq=False)
class UserBootstrap(Resampled):
    """The mean difference over users with its bootstrap distribution.

    Attributes:
        acceleration: skew of the differences as BCa counts it, ``sum c^3 / (6 (sum c^2)^1.5)`` of centred c.
    """

    acceleration: float

    def bca(self, level: float = 0.95) -> Interval:
        """Bias-corrected and accelerated interval.

        Raises:
            UserError: a level outside of (0, 1), or too few draws for it.
        """
        outside = tail(level)
        enough_draws(len(self.resampled_R), outside)
        below = np.mean(self.resampled_R < self.estimate) + np.mean(self.resampled_R == self.estimate) / 2
        at_least = 0.5 / len(self.resampled_R)
        z0 = ndtri(np.clip(below, at_least, 1 - at_least))
        z = z0 + ndtri(np.array([outside, 1 - outside]))
        low, high = np.quantile(self.resampled_R, ndtr(z0 + z / (1 - self.acceleration * z)))
        return Interval(float(low), float(high), level)


def bootstrap_users(difference_U: np.ndarray, *, draws: int = 10_000, seed: int = 0) -> UserBootstrap:
    """Bootstrap the mean of paired differences.

    Args:
        difference_U: first minus second arm, averaged over seeds, ``Pair.difference_U``.

    Raises:
        UserError: fewer than two users, a difference that is not finite, no draws.
    """
    difference_U = checked(difference_U)
    centred_U = difference_U - difference_U.mean()
    squares = np.sum(centred_U**2)
    return UserBootstrap(
        estimate=float(difference_U.mean()),
        resampled_R=resampled_means(difference_U[:, None], draws, seed)[:, 0],
        acceleration=float(np.sum(centred_U**3) / (6 * squares**1.5)) if squares > 0 else 0.0,
    )
