"""The relative difference of two arms, first / second - 1, with Fieller's interval.

"2 % better" is a ratio of two noisy means. Dividing the interval of the difference by the second mean would take that
mean for exact. Fieller's interval (1954) is the set of ratios r that a t test of ``first - r second = 0`` does not
reject: with t the quantile, the ends solve

    (second^2 - t^2 V22) r^2 - 2 (first second - t^2 V12) r + (first^2 - t^2 V11) = 0

V11, V22 and V12 are variances and covariance of the two means, noise of users and of seeds both (``components``).

Shape legend: U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.components import measure
from research.statistics.interval import Interval, tail
from research.statistics.pairs import Pair
from research.statistics.seeds_and_users import quantile


@dataclass(frozen=True)
class Relative:
    """``difference`` and the ends of its interval are shares: .01 is one per cent of the second arm's mean."""

    difference: float
    interval: Interval


def relative_difference(pair: Pair, level: float = 0.95) -> Relative:
    """First arm over second arm, less one.

    The interval is infinite where the second mean cannot itself be told from zero: any ratio is then possible.

    Raises:
        UserError: the second arm's mean is zero; a level outside of (0, 1).
    """
    first, second = float(pair.first_SU.mean()), float(pair.second_RU.mean())
    if second == 0:
        raise UserError("A relative difference needs an arm above zero to compare with; the second arm's mean is zero.")
    components = measure(pair)
    over_users = np.cov(pair.first_SU.mean(axis=0), pair.second_RU.mean(axis=0)) / pair.users
    seed_1, seed_2 = (seed / n for seed, n in zip(components.seed, pair.seeds, strict=True))
    t2 = quantile(components.degrees(pair.users, pair.seeds), 1 - tail(level)) ** 2
    a = second**2 - t2 * (over_users[1, 1] + seed_2)
    b = first * second - t2 * over_users[0, 1]
    c = first**2 - t2 * (over_users[0, 0] + seed_1)
    if a <= 0:
        return Relative(first / second - 1, Interval(-np.inf, np.inf, level))
    # With a > 0 the ratio itself solves the inequality, so the root is real but for rounding.
    root = np.sqrt(max(0.0, b**2 - a * c))
    return Relative(first / second - 1, Interval(float((b - root) / a) - 1, float((b + root) / a) - 1, level))
