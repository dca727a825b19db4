"""What the tests of the statistics share: how often chance may strike, and arms with known noise.

Simulations are seeded, so they give the same count every time. Their bounds are quantiles of a binomial distribution:
with a fresh seed, a correct procedure would fail a bound with a probability of at most ``FAILING``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from research.statistics.pairs import Pair

FAILING = 1e-4


@dataclass(frozen=True)
class Chance:
    """Counts that ``trials`` of a given rate stay within, but for a probability of ``FAILING`` on that side."""

    trials: int

    def most(self, rate: float) -> int:
        return int(stats.binom.isf(FAILING, self.trials, rate))

    def least(self, rate: float) -> int:
        return int(stats.binom.ppf(FAILING, self.trials, rate))


@pytest.fixture
def chance() -> Callable[[int], Chance]:
    """``chance(1000).most(.05)``: a procedure that errs in 5 % errs at most that often in 1000 trials."""
    return Chance


MakePair = Callable[..., Pair]


@pytest.fixture
def make_pair() -> MakePair:
    """Two simulated arms; ``user``, ``seed`` and ``noise`` are standard deviations."""

    def make(
        rng: np.random.Generator,
        users: int = 100,
        seeds: tuple[int, int] = (3, 3),
        *,
        mean: float = 0.5,
        shift: float = 0.0,
        user: float = 0.1,
        seed: float = 0.0,
        noise: float = 0.1,
    ) -> Pair:
        shared = mean + 0.3 * rng.normal(size=users)
        arms = []
        for n, own in zip(seeds, (shift + user * rng.normal(size=users), 0.0), strict=True):
            arms.append(shared + own + seed * rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, users)))
        return Pair(*arms)

    return make
