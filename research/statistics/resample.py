"""Means over users drawn with replacement: the engine of both bootstraps.

What is unusual: a user whose values are all zero, the most frequent kind with a top-10 metric, adds nothing to a mean.
Such users are not drawn one by one: how many of the U draws fall on the others is binomial, and only these are drawn.

Shape legend: U users, C columns (arms, seeds), R draws, K users with a value other than zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.interval import Interval, tail

LEAST_IN_TAIL = 5
"""Draws that must lie beyond each end of an interval, else the end is a matter of luck."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """An estimate with its bootstrap distribution."""

    estimate: float
    resampled_R: np.ndarray

    def interval(self, level: float = 0.95) -> Interval:
        """Percentile interval: the quantiles of the bootstrap distribution (Efron and Tibshirani, 1993, section 13.3).

        Raises:
            UserError: a level outside of (0, 1), or too few draws for it.
        """
        outside = tail(level)
        enough_draws(len(self.resampled_R), outside)
        low, high = np.quantile(self.resampled_R, [outside, 1 - outside])
        return Interval(float(low), float(high), level)


def enough_draws(draws: int, outside: float) -> None:
    """Refuse an interval whose ends rest on fewer than ``LEAST_IN_TAIL`` draws.

    Raises:
        UserError: with the number of draws that would do.
    """
    if draws * outside < LEAST_IN_TAIL - 1e-9:
        needed = int(np.ceil(LEAST_IN_TAIL / outside - 1e-6))
        raise UserError(
            f"An interval at level {1 - 2 * outside:.6g} needs at least {needed:,} bootstrap draws; got {draws:,}."
        )


def resampled_means(value_UC: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """``(R, C)`` means of the columns over U users drawn with replacement, the same users for all columns.

    Raises:
        UserError: no draws.
    """
    if draws < 1:
        raise UserError(f"A bootstrap needs at least one draw; got {draws}. The default is 10,000.")
    rng = np.random.default_rng(seed)
    users = len(value_UC)
    value_KC = value_UC[(value_UC != 0).any(axis=1)]
    kept = len(value_KC)
    mean_RC = np.zeros((draws, value_UC.shape[1]))
    if kept == 0:
        return mean_RC
    for draw, count in enumerate(rng.binomial(users, kept / users, size=draws)):
        times_K = np.bincount(rng.integers(kept, size=count), minlength=kept)
        mean_RC[draw] = times_K.astype(np.float64) @ value_KC
    return mean_RC / users
