"""Signed ranks: by hand, against scipy for every treatment of zeros, and the level by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.midranks import midranks
from research.statistics.wilcoxon import Zeros, wilcoxon_test

ZEROS: list[Zeros] = ["wilcox", "pratt", "zsplit"]


def stepped(rng: np.random.Generator, users: int) -> np.ndarray:
    """Differences with many ties and zeros."""
    return rng.choice([0, 0, 0, 0.5, 1, -0.5, -0.25, -1, 0.75], size=users)


def test_midranks_against_scipy() -> None:
    value = np.array([3.0, 1.0, 3.0, 2.0, 3.0, 1.0])
    assert midranks(value).tolist() == [5.0, 1.5, 5.0, 3.0, 5.0, 1.5]
    value = np.random.default_rng(0).integers(0, 9, size=50)
    np.testing.assert_array_equal(midranks(value), stats.rankdata(value))


class TestByHand:
    def test_no_ties(self) -> None:
        result = wilcoxon_test(np.array([1.0, -2.0, 3.0, 4.0]))
        # Ranks 1, -2, 3, 4: W+ = 8 of 10; of the 16 subsets {1,3,4}, {2,3,4}, {1,2,3,4} reach 8
        assert (result.positive, result.negative) == (8.0, 2.0)
        assert result.p == pytest.approx(2 * 3 / 16)
        assert result.correlation == pytest.approx(0.6)
        assert result.exact

    @pytest.mark.parametrize(
        ("zeros", "positive", "negative"), [("wilcox", 2.0, 1.0), ("pratt", 4.0, 3.0), ("zsplit", 5.5, 4.5)]
    )
    def test_zeros(self, zeros: Zeros, positive: float, negative: float) -> None:
        # |d| = 0, 0, 1, 2: ranks 1.5, 1.5, 3, 4; without zeros 1, 2
        result = wilcoxon_test(np.array([0.0, 0.0, -1.0, 2.0]), zeros)
        assert (result.positive, result.negative, result.changed) == (positive, negative, 2)
        assert result.p == 1.0, "W+ is the third of the four sums; two of them are at least as large"

    @pytest.mark.parametrize("zeros", ZEROS)
    def test_no_user_differs(self, zeros: Zeros) -> None:
        result = wilcoxon_test(np.zeros(6), zeros)
        assert (result.p, result.z, result.correlation) == (1.0, 0.0, 0.0)


class TestAgainstScipy:
    @pytest.mark.parametrize("zeros", ZEROS)
    @pytest.mark.parametrize("shift", [0.0, 0.1])
    def test_normal_approximation(self, zeros: Zeros, shift: float) -> None:
        difference = stepped(np.random.default_rng(1), 200)
        difference = np.where(difference == 0, 0, difference + shift)
        result = wilcoxon_test(difference, zeros)
        oracle: Any = stats.wilcoxon(difference, zero_method=zeros, correction=False, method="asymptotic")
        assert not result.exact
        assert result.p == pytest.approx(oracle.pvalue, rel=1e-9)
        assert min(result.positive, result.negative) == pytest.approx(oracle.statistic)
        assert -abs(result.z) == pytest.approx(oracle.zstatistic)

    def test_exact_without_ties(self) -> None:
        difference = np.random.default_rng(2).normal(0.3, 1, size=23)
        oracle: Any = stats.wilcoxon(difference, method="exact")
        assert wilcoxon_test(difference).p == pytest.approx(oracle.pvalue, rel=1e-9)

    @pytest.mark.parametrize("zeros", ZEROS)
    def test_exact_with_ties_and_zeros(self, zeros: Zeros) -> None:
        difference = np.array([0, 0.5, 0.5, 1, -0.5, 0, 0.75, 1, 1, -0.25, 0.75])
        every: Any = stats.PermutationMethod(n_resamples=4000)  # more than there are patterns
        oracle: Any = stats.wilcoxon(difference, zero_method=zeros, method=every)
        assert wilcoxon_test(difference, zeros).p == pytest.approx(oracle.pvalue, rel=1e-9)

    def test_exact_and_approximate_meet(self) -> None:
        rng = np.random.default_rng(3)
        for _ in range(20):
            result = wilcoxon_test(rng.normal(0.2, 1, size=50))
            assert result.exact
            assert result.p == pytest.approx(2 * stats.norm.sf(abs(result.z)), abs=0.01)


@pytest.mark.parametrize("users", [30, 200])
def test_level_under_no_effect(chance, users: int) -> None:
    rng, trials = np.random.default_rng(users), 2000
    false = dict.fromkeys(ZEROS, 0)
    for _ in range(trials):
        difference = np.abs(stepped(rng, users)) * rng.choice([-1, 1], size=users)
        for zeros in ZEROS:
            false[zeros] += wilcoxon_test(difference, zeros).p <= 0.05
    assert max(false.values()) <= chance(trials).most(0.052)
    assert min(false["wilcox"], false["pratt"]) >= chance(trials).least(0.03)


def test_refusals() -> None:
    with pytest.raises(UserError, match=r"'drop'.*wilcox, pratt, zsplit"):
        wilcoxon_test(np.ones(4), "drop")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="two users"):
        wilcoxon_test(np.ones(1))
