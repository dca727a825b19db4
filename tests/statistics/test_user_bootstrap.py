"""Both bootstraps' engine and the intervals over users: moments, scipy, a plain loop, coverage by simulation."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.bootstrap import bootstrap_users
from research.statistics.resample import Resampled, resampled_means


def sparse(rng: np.random.Generator, users: int) -> np.ndarray:
    return rng.choice([0, 0, 0, 0, 1, 0.63, -0.5, -0.31], size=users)


class TestResampling:
    def test_mean_and_variance_are_those_of_drawing_with_replacement(self) -> None:
        value = sparse(np.random.default_rng(0), 50)
        means = resampled_means(value[:, None], 20_000, seed=1)[:, 0]
        variance = value.var() / 50
        assert means.mean() == pytest.approx(value.mean(), abs=5 * (variance / 20_000) ** 0.5)
        assert means.var() == pytest.approx(variance, rel=5 * (2 / 20_000) ** 0.5)

    def test_distribution_is_that_of_a_plain_loop(self) -> None:
        rng = np.random.default_rng(2)
        value = sparse(rng, 12)
        plain = [value[rng.integers(12, size=12)].mean() for _ in range(4000)]
        ours = resampled_means(value[:, None], 4000, seed=3)[:, 0]
        # Sums of few steps have many ties; the Kolmogorov-Smirnov p is then too large, never too small.
        compared: Any = stats.ks_2samp(np.round(plain, 12), np.round(ours, 12))
        assert compared.pvalue > 1e-4

    def test_columns_share_their_users(self) -> None:
        value = np.random.default_rng(4).normal(size=30)
        means = resampled_means(np.stack([value, 2 * value + 1], axis=1), 50, seed=0)
        np.testing.assert_allclose(means[:, 1], 2 * means[:, 0] + 1, atol=1e-12)

    def test_users_without_a_value_are_not_forgotten(self) -> None:
        # One user of ten has a 1: the count of draws that meet it is binomial(10, 1/10).
        means = resampled_means(np.eye(1, 10).T, 20_000, seed=5)[:, 0]
        counts = np.bincount(np.rint(means * 10).astype(int), minlength=4)[:4] / 20_000
        np.testing.assert_allclose(counts, stats.binom.pmf(np.arange(4), 10, 0.1), atol=5 * (0.25 / 20_000) ** 0.5)

    def test_nothing_but_zeros(self) -> None:
        assert resampled_means(np.zeros((5, 2)), 3, seed=0).tolist() == [[0, 0]] * 3


class TestIntervals:
    @pytest.mark.parametrize("level", [0.8, 0.95])
    @pytest.mark.parametrize("hits", [False, True])
    def test_against_scipy(self, level: float, hits: bool) -> None:
        """scipy takes a distribution that is there already, so both make an interval of the same draws.

        Differences of hits are -1, 0 or 1: many draws equal the estimate, and half of them count as below it.
        """
        difference = np.random.default_rng(6).exponential(size=40) - 0.7
        difference = np.sign(np.trunc(2 * difference)) if hits else difference
        result = bootstrap_users(difference, draws=1500, seed=2)
        drawn = SimpleNamespace(bootstrap_distribution=result.resampled_R)
        for ours, method in ((result.interval(level), "percentile"), (result.bca(level), "BCa")):
            oracle = stats.bootstrap(
                (difference,), np.mean, n_resamples=0, bootstrap_result=drawn, method=method, confidence_level=level
            ).confidence_interval
            assert (ours.low, ours.high) == pytest.approx((oracle.low, oracle.high), rel=1e-9), method
            assert ours.level == level
        assert result.estimate == pytest.approx(difference.mean())

    def test_skew_moves_bca_towards_the_long_tail(self) -> None:
        difference = np.random.default_rng(7).exponential(size=40)
        result = bootstrap_users(difference, draws=4000)
        assert result.bca().low > result.interval().low
        assert result.bca().high > result.interval().high

    def test_quantiles_by_hand(self) -> None:
        result = Resampled(0.5, np.linspace(0, 1, 101))
        interval = result.interval(0.9)
        assert (interval.low, interval.high) == pytest.approx((0.05, 0.95))

    @pytest.mark.parametrize("value", [0.0, 0.25])
    def test_no_spread(self, value: float) -> None:
        result = bootstrap_users(np.full(10, value), draws=200)
        for interval in (result.interval(), result.bca()):
            assert (interval.low, interval.high) == pytest.approx((value, value))

    def test_side(self) -> None:
        above, below = (bootstrap_users(sign * np.linspace(1, 2, 30), draws=400).interval() for sign in (1, -1))
        across = bootstrap_users(np.linspace(-1, 1, 30), draws=400).interval()
        assert (above.side, below.side, across.side) == (1, -1, 0)
        assert across.covers(0)
        assert not above.covers(0)


@pytest.mark.parametrize("users", [100, 400])
def test_coverage(chance, users: int) -> None:
    """Sparse, skewed differences with a true mean of .1: both kinds cover it in about 95 %."""
    rng, trials = np.random.default_rng(users), 400
    steps, shares = np.array([0.0, 1.0, 0.5, -0.5]), np.array([0.7, 0.1, 0.1, 0.1])
    truth = float(steps @ shares)
    assert truth == pytest.approx(0.1)
    percentile = bca = 0
    for trial in range(trials):
        result = bootstrap_users(rng.choice(steps, size=users, p=shares), draws=400, seed=trial)
        percentile += result.interval().covers(truth)
        bca += result.bca().covers(truth)
    for covered in (percentile, bca):
        assert chance(trials).least(0.935) <= covered <= chance(trials).most(0.955)


def test_refusals() -> None:
    result = bootstrap_users(np.arange(5.0), draws=1000)
    with pytest.raises(UserError, match=r"level 0\.998 needs at least 5,000 bootstrap draws; got 1,000"):
        result.interval(0.998)
    with pytest.raises(UserError, match="5,000"):
        result.bca(0.998)
    assert result.interval(0.99).level == 0.99, "five draws in each tail are just enough"
    with pytest.raises(UserError, match="between 0 and 1"):
        result.interval(95)
    with pytest.raises(UserError, match="at least one draw"):
        bootstrap_users(np.arange(5.0), draws=0)
