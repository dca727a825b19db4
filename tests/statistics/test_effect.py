"""Sizes of differences: Cohen's d_z by hand, the relative difference against an inverted t test, and its coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from research.errors import UserError
from research.statistics.effect import effect_size
from research.statistics.pairs import Pair
from research.statistics.relative import relative_difference


class TestEffect:
    def test_by_hand(self) -> None:
        effect = effect_size(np.array([1.0, 0.0, 0.0, -1.0, 2.0]))
        # Mean .4; squares .36 + .16 + .16 + 1.96 + 2.56 = 5.2; variance 1.3
        assert effect.difference == pytest.approx(0.4)
        assert effect.std == pytest.approx(1.3**0.5)
        assert effect.dz == pytest.approx(0.4 / 1.3**0.5)
        assert (effect.better, effect.worse, effect.equal) == (2, 1, 2)

    def test_it_is_t_over_the_root_of_users(self) -> None:
        difference = np.random.default_rng(0).normal(0.2, 1, size=40)
        oracle: Any = stats.ttest_1samp(difference, 0)
        assert effect_size(difference).dz == pytest.approx(oracle.statistic / 40**0.5)

    @pytest.mark.parametrize(("value", "dz"), [(0.0, 0.0), (0.1, np.inf), (-0.1, -np.inf)])
    def test_no_spread(self, value: float, dz: float) -> None:
        assert effect_size(np.full(7, value)).dz == dz


class TestRelative:
    def test_by_hand(self) -> None:
        pair = Pair(np.array([[0.3, 0.5]]), np.array([[0.2, 0.3]]))
        assert relative_difference(pair).difference == pytest.approx(0.6)

    def test_ends_are_where_a_t_test_starts_to_reject(self) -> None:
        rng = np.random.default_rng(1)
        second = rng.uniform(0, 1, size=60)
        first = second + rng.normal(0.05, 0.2, size=60)
        relative = relative_difference(Pair(first[None], second[None]), level=0.9)

        def too_likely(r: float) -> float:
            test: Any = stats.ttest_1samp(first - (1 + r) * second, 0)
            return test.pvalue - 0.1

        for end, inside in ((relative.interval.low, 1), (relative.interval.high, -1)):
            found = optimize.brentq(too_likely, relative.difference, end - inside * 0.1)
            assert end == pytest.approx(found, abs=1e-8)

    def test_twice_is_exactly_one_hundred_per_cent_more(self) -> None:
        second = np.random.default_rng(2).uniform(0.2, 0.9, size=(1, 30))
        relative = relative_difference(Pair(2 * second, second))
        assert (relative.difference, relative.interval.low, relative.interval.high) == pytest.approx(
            (1, 1, 1), abs=1e-7
        )

    def test_noise_of_seeds_widens_it(self, make_pair) -> None:
        pair = make_pair(np.random.default_rng(3), seed=0.05)
        averaged = Pair(pair.first_SU.mean(axis=0)[None], pair.second_RU.mean(axis=0)[None])
        wide, narrow = relative_difference(pair).interval, relative_difference(averaged).interval
        assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)

    @pytest.mark.parametrize("seed", [0.0, 0.03])
    def test_coverage(self, make_pair, chance, seed: float) -> None:
        """Means .55 and .5: 10 % more."""
        rng, trials = np.random.default_rng(int(100 * seed)), 1500
        covered = sum(
            relative_difference(make_pair(rng, shift=0.05, seed=seed)).interval.covers(0.1) for _ in range(trials)
        )
        assert chance(trials).least(0.94) <= covered <= chance(trials).most(0.975)

    def test_a_mean_that_may_be_zero_allows_any_ratio(self) -> None:
        second = np.array([[1.0, -1.0, 1.0, -0.9]])
        interval = relative_difference(Pair(second + 1, second)).interval
        assert (interval.low, interval.high) == (-np.inf, np.inf)

    def test_zero_is_refused(self) -> None:
        with pytest.raises(UserError, match="mean is zero"):
            relative_difference(Pair(np.ones((1, 3)), np.zeros((1, 3))))
