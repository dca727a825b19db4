"""How many seeds and users would a small difference need?

The planned test is the one of ``seeds_and_users``: two-sided, t = difference / sqrt(V), with V and its degrees of
freedom predicted by the measured ``components`` for any number of users U and seeds S of each arm. When the true
difference is delta, t has a noncentral t distribution with noncentrality ``delta / sqrt(V)``, and power is its share
beyond the critical value.

More users do not help below ``2 seed / S``, and more seeds not below ``user / U``: then no number suffices, and the
answer is None.

*How far to trust it.* The degrees of freedom are taken as known here, while the test estimates them. In simulation the
power is right within .05 from five seeds on, up to .1 too high with three, and more with two. Measured components are
uncertain themselves, those of three seeds by a factor of two or more: read the answer as an order of magnitude.

Source: Cohen, Statistical Power Analysis, 2nd ed. (1988), chapter 2, with V in place of a single variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr, ndtr

from research.errors import UserError
from research.statistics.components import Components, measure
from research.statistics.pairs import Pair
from research.statistics.seeds_and_users import quantile

MOST_SEEDS = 10_000
MOST_USERS = 10**9


@dataclass(frozen=True)
class Plan:
    """What it takes to see a difference.

    Attributes:
        difference: the one asked for, in the units of the metric.
        power: chance to find it with the users and seeds at hand.
        detectable: the smallest difference that these find with the power asked for.
        seeds_needed: per arm, with the users at hand; None where no number up to ``MOST_SEEDS`` suffices.
        users_needed: with the seeds at hand; None where no number up to ``MOST_USERS`` suffices.
        components: the measured variances that all of this rests on.
    """

    difference: float
    power: float
    detectable: float
    seeds_needed: int | None
    users_needed: int | None
    components: Components


def plan(pair: Pair, *, relative: float = 0.01, alpha: float = 0.05, power: float = 0.8) -> Plan:
    """Plan for a difference of ``relative`` times the second arm's mean.

    Args:
        alpha: level of the planned test; give the one after correction, such as .05 / 24.
        power: the chance to find the difference that is asked for.

    Raises:
        UserError: an arm's seed noise is unknown (one seed of a trained arm); the second arm's mean or ``relative`` is
            zero; alpha or power outside of (0, 1), or a power not above alpha.
    """
    if not pair.seed_noise_known:
        raise UserError(
            f"Planning needs the noise between seeds: two seeds at least of both arms; they have {pair.seeds[0]} and "
            f"{pair.seeds[1]}. Run more seeds."
        )
    if not 0 < alpha < power < 1:
        raise UserError(f"Alpha and power lie between 0 and 1, power above alpha; got alpha {alpha}, power {power}.")
    difference = abs(relative * float(pair.second_RU.mean()))
    if difference == 0:
        raise UserError("A plan needs a difference above zero: `relative` or the second arm's mean is zero.")
    parts, users, seeds = measure(pair), pair.users, pair.seeds

    def enough(difference: float, users: int, seeds: tuple[int, int]) -> bool:
        return power_at(parts, difference, users, seeds, alpha) >= power

    return Plan(
        difference=difference,
        power=power_at(parts, difference, users, seeds, alpha),
        detectable=_smallest_difference(lambda delta: enough(delta, users, seeds), parts.variance(users, seeds) ** 0.5),
        seeds_needed=_least(lambda n: enough(difference, users, (n, n)), 2, MOST_SEEDS),
        users_needed=_least(lambda n: enough(difference, n, seeds), 2, MOST_USERS),
        components=parts,
    )


def power_at(
    components: Components, difference: float, users: int, seeds: tuple[int, int], alpha: float = 0.05
) -> float:
    """Chance that the two-sided test at level alpha finds a true ``difference``, on either side of zero."""
    error = components.variance(users, seeds) ** 0.5
    if error == 0:
        return 1.0 if difference else alpha
    degrees = components.degrees(users, seeds)
    critical, shift = quantile(degrees, 1 - alpha / 2), abs(difference) / error
    if degrees > 1e6:  # a normal distribution by then
        return float(ndtr(shift - critical) + ndtr(-shift - critical))
    # SciPy answers nan where a tail is too small for it.
    wrong_side, missed = np.nan_to_num(nctdtr(degrees, shift, np.array([-critical, critical])))
    return float(1 - missed + wrong_side)


def _least(enough: Callable[[int], bool], low: int, most: int) -> int | None:
    """The smallest whole number from ``low`` to ``most`` that is enough; None when ``most`` is not."""
    if not enough(most):
        return None
    high = most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _smallest_difference(enough: Callable[[float], bool], error: float) -> float:
    """Bisection between nothing and a difference that is surely enough."""
    if error == 0:
        return 0.0
    low, high = 0.0, error
    while not enough(high):
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
