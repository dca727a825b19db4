"""Friedman, the studentized range and Nemenyi: scipy, a published example and table, level by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.friedman import friedman_test
from research.statistics.nemenyi import nemenyi_test
from research.statistics.studentized_range import upper_point, upper_tail


class TestFriedman:
    def test_by_hand(self) -> None:
        # Ranks 1 2 3, 1 3 2, 1 2 3: means 1, 7/3, 8/3.
        # chi^2 = 12*3/(3*4) * (1 + 1/9 + 4/9) = 14/3; F = 2 * (14/3) / (6 - 14/3) = 7
        result = friedman_test(np.array([[0.9, 0.5, 0.1], [0.8, 0.1, 0.3], [0.4, 0.3, 0.2]]))
        assert result.mean_rank_A.tolist() == pytest.approx([1, 7 / 3, 8 / 3])
        assert result.chi2 == pytest.approx(14 / 3)
        assert result.f == pytest.approx(7.0)
        assert result.f_p == pytest.approx(stats.f.sf(7.0, 2, 4))

    def test_an_example_computed_in_r(self) -> None:
        # R prints chi^2 = 11.733, p = .1635, and for Iman and Davenport's correction 2.75, p = .08697.
        rank = np.array([[1, 8, 6, 4, 7, 2, 5, 3, 9], [1, 6, 3, 9, 7, 2, 8, 4, 5]])
        result = friedman_test(-rank)
        assert (result.chi2, result.p) == pytest.approx((11.733, 0.1635), abs=5e-4)
        assert (result.f, result.f_p) == pytest.approx((2.75, 0.08697), abs=5e-4)

    @pytest.mark.parametrize("ties", [False, True])
    def test_against_scipy(self, ties: bool) -> None:
        score = np.random.default_rng(0).normal(size=(9, 5)) + np.arange(5) / 3
        score = np.round(score) if ties else score
        result, oracle = friedman_test(score), stats.friedmanchisquare(*score.T)
        assert result.chi2 == pytest.approx(oracle.statistic)
        assert result.p == pytest.approx(oracle.pvalue, rel=1e-9)

    def test_the_same_order_everywhere(self) -> None:
        result = friedman_test(np.tile([0.1, 0.3, 0.2], (4, 1)))
        assert result.mean_rank_A.tolist() == [3, 1, 2]
        assert (result.chi2, result.f_p) == (8.0, 0.0)

    def test_all_equal(self) -> None:
        result = friedman_test(np.ones((4, 3)))
        assert (result.p, result.f_p) == (1.0, 1.0)

    def test_level_under_no_effect(self, chance) -> None:
        rng, trials = np.random.default_rng(1), 3000
        results = [friedman_test(rng.normal(size=(8, 5))) for _ in range(trials)]
        assert sum(r.p <= 0.05 for r in results) <= chance(trials).most(0.05)
        false = sum(r.f_p <= 0.05 for r in results)
        assert chance(trials).least(0.045) <= false <= chance(trials).most(0.055)

    def test_refusals(self) -> None:
        with pytest.raises(UserError, match="two data sets and three arms"):
            friedman_test(np.ones((5, 2)))
        with pytest.raises(UserError, match="every arm on every data set"):
            friedman_test(np.array([[1, 2, 3], [1, np.nan, 3]]))


class TestStudentizedRange:
    # Demsar (2006), table 5a, times sqrt(2): critical values for k = 2 .. 10 arms at .05.
    PUBLISHED = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)

    def test_published_table(self) -> None:
        ours = [upper_point(0.05, k) / 2**0.5 for k in range(2, 11)]
        assert ours == pytest.approx(self.PUBLISHED, abs=0.001)

    @pytest.mark.parametrize(("q", "k"), [(0.5, 3), (2.0, 4), (3.6, 7), (5.0, 10)])
    def test_against_scipy(self, q: float, k: int) -> None:
        assert upper_tail(q, k) == pytest.approx(stats.studentized_range.sf(q, k, np.inf), abs=1e-8)

    def test_two_is_a_normal_difference(self) -> None:
        for q in (0.1, 1.0, 3.0, 6.0):
            assert upper_tail(q, 2) == pytest.approx(2 * stats.norm.sf(q / 2**0.5), abs=1e-14)

    def test_ends(self) -> None:
        assert upper_tail(0.0, 5) == 1.0
        assert upper_tail(20.0, 30) == pytest.approx(0.0, abs=1e-12)


class TestNemenyi:
    def test_a_published_example(self) -> None:
        # Demsar (2006), section 3.2.3: four learners on 14 data sets, CD = 1.25.
        result = nemenyi_test([3.143, 2.000, 2.893, 1.964], 14)
        assert result.critical_difference == pytest.approx(1.25, abs=0.005)
        assert result.groups == ((3, 1, 2, 0),)

    def test_p_is_alpha_at_the_critical_difference(self) -> None:
        critical = nemenyi_test([1, 2, 3], 10, alpha=0.1).critical_difference
        result = nemenyi_test([1, 1 + critical, 2.5], 10, alpha=0.1)
        assert result.p_AA[0, 1] == pytest.approx(0.1, abs=1e-9)
        assert np.diag(result.p_AA).tolist() == [1, 1, 1]
        np.testing.assert_array_equal(result.p_AA, result.p_AA.T)

    def test_groups_by_hand(self) -> None:
        # 12 data sets, 5 arms: CD = 2.728 * sqrt(30 / 72) = 1.761
        result = nemenyi_test([4.6, 1.2, 2.7, 3.4, 3.1], 12)
        assert result.critical_difference == pytest.approx(1.761, abs=0.001)
        # In order 1.2, 2.7, 3.1, 3.4, 4.6: from 1.2 up to 2.96, from 2.7 up to 4.46, from 3.1 up to 4.86
        assert result.groups == ((1, 2), (2, 4, 3), (4, 3, 0))

    def test_an_arm_apart_stands_alone(self) -> None:
        assert nemenyi_test([1.0, 3.4, 3.6], 60).groups == ((1, 2),)

    def test_all_pairs_together_keep_the_level(self, chance) -> None:
        rng, trials = np.random.default_rng(2), 2000
        critical = nemenyi_test(range(5), 20).critical_difference
        ranges = [np.ptp(friedman_test(rng.normal(size=(20, 5))).mean_rank_A) for _ in range(trials)]
        false = sum(r >= critical for r in ranges)
        assert chance(trials).least(0.03) <= false <= chance(trials).most(0.05)

    def test_refusals(self) -> None:
        with pytest.raises(UserError, match="two arms and two data sets"):
            nemenyi_test([1, 2], 1)
        with pytest.raises(UserError, match="Alpha"):
            nemenyi_test([1, 2], 5, alpha=0)
