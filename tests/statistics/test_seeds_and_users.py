"""Noise of seeds and of users: variance components, the t interval and the nested bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.bootstrap import bootstrap_users
from research.statistics.components import Components, measure
from research.statistics.nested_bootstrap import bootstrap_seeds_and_users
from research.statistics.pairs import Pair
from research.statistics.seeds_and_users import estimate


class TestComponents:
    def test_by_plain_loops(self, make_pair) -> None:
        pair = make_pair(np.random.default_rng(0), users=7, seeds=(4, 3), user=0.5, seed=0.5)
        seeds, noises = [], []
        for table in (pair.first_SU, pair.second_RU):
            s, u = table.shape
            rows = [sum(table[i, j] for j in range(u)) / u for i in range(s)]
            columns = [sum(table[i, j] for i in range(s)) / s for j in range(u)]
            mean = sum(rows) / s
            left = sum((table[i, j] - rows[i] - columns[j] + mean) ** 2 for i in range(s) for j in range(u))
            noises.append(left / ((s - 1) * (u - 1)))
            seeds.append(sum((r - mean) ** 2 for r in rows) / (s - 1) - noises[-1] / u)
        parts = measure(pair)
        assert min(seeds) > 0, "else this example would test the truncation"
        assert parts.seed == pytest.approx(seeds)
        assert parts.noise == pytest.approx(noises)
        of_difference = np.var(pair.first_SU.mean(axis=0) - pair.second_RU.mean(axis=0), ddof=1)
        user = of_difference - noises[0] / 4 - noises[1] / 3
        assert user > 0, "likewise"
        assert parts.user == pytest.approx(user)

    def test_right_on_average(self, make_pair) -> None:
        rng = np.random.default_rng(1)
        every = [measure(make_pair(rng, users=40, seeds=(3, 4), user=0.3, seed=0.2, noise=0.2)) for _ in range(600)]
        # Truths .09, .04 (truncation is rare at this size) and .04; standard errors follow from chi^2.
        assert np.mean([p.user for p in every]) == pytest.approx(0.09, rel=0.05)
        assert np.mean([p.seed for p in every], axis=0) == pytest.approx([0.04, 0.04], rel=0.2)
        assert np.mean([p.noise for p in every], axis=0) == pytest.approx([0.04, 0.04], rel=0.03)

    def test_variance_by_hand(self) -> None:
        parts = Components(user=6.0, seed=(1.0, 2.0), noise=(3.0, 8.0))
        # 6/10 + 1/2 + 3/20 + 2/4 + 8/40
        assert parts.variance(10, (2, 4)) == pytest.approx(0.6 + 0.5 + 0.15 + 0.5 + 0.2)

    def test_an_estimate_below_zero_is_zero(self) -> None:
        # Seeds that differ in users but not at all in their means.
        table = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 3.0, 2.0]])
        parts = measure(Pair(table, table))
        assert parts.seed == (0.0, 0.0)
        assert parts.user == 0.0
        assert parts.noise[0] > 0


class TestEstimate:
    def test_one_seed_is_a_paired_t_test(self) -> None:
        rng = np.random.default_rng(2)
        first, second = rng.normal(0.3, 1, size=25), rng.normal(size=25)
        result = estimate(Pair(first[None], second[None]))
        oracle: Any = stats.ttest_rel(first, second)
        expected = oracle.confidence_interval(0.9)
        interval = result.interval(0.9)
        assert result.p == pytest.approx(oracle.pvalue, rel=1e-9)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-10)

    def test_seed_noise_alone_is_a_welch_test_of_seeds(self) -> None:
        first, second = np.array([0.31, 0.35, 0.36, 0.4]), np.array([0.28, 0.33, 0.27])
        user = np.linspace(0, 0.5, 9)
        result = estimate(Pair(first[:, None] + user, second[:, None] + user))
        oracle: Any = stats.ttest_ind(first, second, equal_var=False)
        assert result.degrees == pytest.approx(oracle.df)
        assert result.p == pytest.approx(oracle.pvalue, rel=1e-9)

    def test_the_same_arm_twice(self) -> None:
        table = np.random.default_rng(0).normal(size=(1, 20))
        result = estimate(Pair(table, table))
        assert (result.p, result.difference, result.interval().low) == (1.0, 0.0, 0.0)

    def test_a_constant_difference_is_certain(self) -> None:
        result = estimate(Pair(np.full((1, 5), 0.75), np.full((1, 5), 0.5)))
        assert (result.p, result.interval().side) == (0.0, 1)

    @pytest.mark.parametrize("seeds", [(3, 3), (5, 3), (2, 2)])
    @pytest.mark.parametrize("seed", [0.0, 0.01, 0.05])
    def test_covers_and_keeps_its_level(self, make_pair, chance, seeds, seed) -> None:
        """Seed noise from none to the greater part. Where there is none the interval is too wide, never too narrow."""
        rng, trials = np.random.default_rng([*seeds, int(100 * seed)]), 1500
        covered = false = 0
        for _ in range(trials):
            covered += estimate(make_pair(rng, seeds=seeds, shift=0.02, seed=seed)).interval().covers(0.02)
            false += estimate(make_pair(rng, seeds=seeds, seed=seed)).p <= 0.05
        assert covered >= chance(trials).least(0.94)
        assert false <= chance(trials).most(0.06)
        assert covered <= chance(trials).most(0.985)


class TestNestedBootstrap:
    def test_seeds_alone_have_the_variance_of_a_mean(self) -> None:
        """Without the draw of S - 1 seeds it would be two thirds of this."""
        seeds = np.array([0.1, 0.2, 0.6])
        pair = Pair(np.tile(seeds[:, None], (1, 4)), np.full((1, 4), 0.25), second_deterministic=True)
        drawn = bootstrap_seeds_and_users(pair, draws=20_000).difference.resampled_R
        # The mean of two of three: .1, .15, .2, .35, .4, .6, less .25
        assert set(np.round(drawn + 0.25, 9)) == {0.1, 0.15, 0.2, 0.35, 0.4, 0.6}
        assert drawn.var() == pytest.approx(seeds.var(ddof=1) / 3, rel=0.05)

    def test_without_seed_noise_it_is_the_bootstrap_over_users(self) -> None:
        rng = np.random.default_rng(3)
        first, second = rng.normal(size=40), rng.normal(size=40)
        nested = bootstrap_seeds_and_users(Pair(np.stack([first, first]), second[None]), draws=300, seed=5)
        plain = bootstrap_users(first - second, draws=300, seed=5)
        np.testing.assert_allclose(nested.difference.resampled_R, plain.resampled_R, atol=1e-12)
        assert nested.difference.estimate == pytest.approx(plain.estimate)

    def test_the_arms_draw_their_seeds_independently(self) -> None:
        table = np.tile(np.array([[0.0], [1.0]]), (1, 3)) + 1
        drawn = bootstrap_seeds_and_users(Pair(table, table), draws=4000).difference.resampled_R
        shares = [np.mean(np.isclose(drawn, value)) for value in (-1, 0, 1)]
        assert shares == pytest.approx([0.25, 0.5, 0.25], abs=5 * 0.5 / 4000**0.5)

    def test_relative_difference_of_each_draw(self) -> None:
        second = np.random.default_rng(4).uniform(0.2, 0.6, size=(3, 30))
        double = bootstrap_seeds_and_users(Pair(2 * second[:1], second[:1].repeat(2, axis=0)), draws=200).relative
        assert double is not None
        assert double.estimate == pytest.approx(1.0)
        np.testing.assert_allclose(double.resampled_R, 1.0, atol=1e-12)

    def test_no_relative_difference_to_zero(self) -> None:
        pair = Pair(np.ones((2, 4)), np.zeros((1, 4)))
        assert bootstrap_seeds_and_users(pair, draws=100).relative is None

    @pytest.mark.parametrize("seed", [0.0, 0.02])
    def test_coverage(self, make_pair, chance, seed: float) -> None:
        rng, trials = np.random.default_rng(int(1000 * seed)), 300
        covered = 0
        for trial in range(trials):
            pair = make_pair(rng, users=60, seeds=(5, 5), shift=0.05, seed=seed)
            covered += bootstrap_seeds_and_users(pair, draws=300, seed=trial).difference.interval().covers(0.05)
        assert covered >= chance(trials).least(0.93)

    def test_one_seed_each_is_refused(self) -> None:
        with pytest.raises(UserError, match="bootstrap over users"):
            bootstrap_seeds_and_users(Pair(np.ones((1, 3)), np.zeros((1, 3))))
