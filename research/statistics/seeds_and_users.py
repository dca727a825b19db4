"""The difference of two arms with an interval and a p that count the noise of seeds as well as of users.

A test over users alone asks whether *these trained models* differ. A claim about a method also means other seeds. The
standard error here is the square root of V (``components``), with a t distribution of Satterthwaite's degrees of
freedom, which a handful of seeds makes few.

An arm with one seed adds no seed noise. That is right for popularity or EASE, and too narrow for a trained arm:
``Pair.seed_noise_known`` tells.

This is the closed form beside ``nested_bootstrap``. With three seeds it covers better, as no resampling of three
numbers knows the tails of their distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from research.statistics.components import measure
from research.statistics.interval import Interval, tail
from research.statistics.pairs import Pair


@dataclass(frozen=True)
class Estimate:
    """First minus second arm, in the units of the metric."""

    difference: float
    standard_error: float
    degrees: float

    def interval(self, level: float = 0.95) -> Interval:
        """Difference plus and minus t standard errors.

        Raises:
            UserError: a level outside of (0, 1).
        """
        half = quantile(self.degrees, 1 - tail(level)) * self.standard_error
        return Interval(self.difference - half, self.difference + half, level)

    @property
    def p(self) -> float:
        """Two-sided; 1 where no arm, user or seed differs."""
        if self.standard_error == 0:
            return 1.0 if self.difference == 0 else 0.0
        # stdtr takes infinite degrees of freedom as the normal distribution.
        return float(2 * stdtr(self.degrees, -abs(self.difference) / self.standard_error))


def quantile(degrees: float, share: float) -> float:
    """Quantile of Student's t."""
    return float(stdtrit(degrees, share))


def estimate(pair: Pair) -> Estimate:
    """Difference of means over seeds and users, with its noise."""
    components = measure(pair)
    return Estimate(
        difference=float(pair.difference_U.mean()),
        standard_error=float(np.sqrt(components.variance(pair.users, pair.seeds))),
        degrees=components.degrees(pair.users, pair.seeds),
    )
