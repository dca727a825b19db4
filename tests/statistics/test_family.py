"""Corrections: by hand, Holm by closed testing, BH against scipy, and what each promises by simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.family import benjamini_hochberg, holm


def closed_testing(p: list[float]) -> list[float]:
    """Holm from its definition: a test is rejected when Bonferroni rejects every set of tests that contains it."""
    indices = range(len(p))
    sets = [s for size in range(1, len(p) + 1) for s in combinations(indices, size)]
    return [max(min(1.0, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in indices]


class TestByHand:
    P = (0.01, 0.04, 0.03, 0.005)

    def test_holm(self) -> None:
        family = holm(self.P)
        assert family.adjusted == pytest.approx((0.03, 0.06, 0.06, 0.02))
        assert family.rejected == (True, False, False, True)
        # .005 was tried at .05/4, .01 at .05/3; there is no third finding, so the others stay at .05/2
        assert family.alphas == pytest.approx((0.05 / 3, 0.025, 0.025, 0.0125))

    def test_benjamini_hochberg(self) -> None:
        family = benjamini_hochberg(self.P)
        assert family.adjusted == pytest.approx((0.02, 0.04, 0.04, 0.02))
        assert family.rejected == (True, True, True, True)
        assert family.alphas == pytest.approx((0.05,) * 4)

    def test_benjamini_hochberg_with_two_findings_of_four(self) -> None:
        family = benjamini_hochberg((0.001, 0.02, 0.4, 0.9))
        assert family.adjusted == pytest.approx((0.004, 0.04, 0.4 * 4 / 3, 0.9))
        assert family.alphas == pytest.approx((0.025,) * 4)

    def test_without_a_finding_intervals_are_those_of_bonferroni(self) -> None:
        for correct in (holm, benjamini_hochberg):
            assert correct((0.3, 0.2, 0.9, 0.5)).alphas == pytest.approx((0.0125,) * 4)

    def test_one_test_is_not_corrected(self) -> None:
        for correct in (holm, benjamini_hochberg):
            assert (correct([0.03]).adjusted, correct([0.03]).alphas) == ((0.03,), (0.05,))

    def test_an_empty_family(self) -> None:
        for correct in (holm, benjamini_hochberg):
            assert correct([]).adjusted == correct([]).alphas == ()


def draws(n: int) -> list[list[float]]:
    """Families with small, large and equal p."""
    rng = np.random.default_rng(0)
    return [np.round(rng.beta(0.4, 2, size=rng.integers(1, 8)), 2).tolist() for _ in range(n)]


def test_holm_is_closed_testing() -> None:
    for p in draws(60):
        assert holm(p).adjusted == pytest.approx(closed_testing(p)), p


def test_benjamini_hochberg_against_scipy() -> None:
    for p in draws(60):
        assert benjamini_hochberg(p).adjusted == pytest.approx(stats.false_discovery_control(p)), p


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_a_finding_is_a_finding_at_its_own_alpha(correct) -> None:
    for p in draws(200):
        family = correct(p, alpha=0.1)
        own = [x <= a + 1e-12 for x, a in zip(p, family.alphas, strict=True)]
        assert own == list(family.rejected), (p, family)


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_the_order_of_tests_does_not_matter(correct) -> None:
    p = [0.02, 0.02, 0.5, 0.001, 0.04]
    family, turned = correct(p), correct(p[::-1])
    assert turned.adjusted == family.adjusted[::-1]
    assert turned.alphas == family.alphas[::-1]


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_holm_rarely_errs_at_all(chance, shared: float) -> None:
    """Eight tests, six without effect, independent or strongly dependent: any false finding in at most 5 %."""
    rng, trials = np.random.default_rng(1), 3000
    shift = np.array([4.0, 3.0, 0, 0, 0, 0, 0, 0])
    errors = 0
    for _ in range(trials):
        z = shared**0.5 * rng.normal() + (1 - shared) ** 0.5 * rng.normal(size=8) + shift
        errors += any(holm(2 * stats.norm.sf(np.abs(z))).rejected[2:])
    assert errors <= chance(trials).most(0.05)
    if shared == 0:
        assert errors >= chance(trials).least(0.035), "else the correction would be Bonferroni or worse"


def test_benjamini_hochberg_keeps_the_share_of_false_findings() -> None:
    rng, trials = np.random.default_rng(2), 3000
    shift = np.array([3.0] * 10 + [0.0] * 10)
    shares = []
    for _ in range(trials):
        rejected = np.array(benjamini_hochberg(2 * stats.norm.sf(np.abs(rng.normal(size=20) + shift)), 0.1).rejected)
        shares.append(rejected[10:].sum() / max(1, rejected.sum()))
    # Independent tests: the expectation is exactly alpha x true nulls / tests = .05.
    assert np.mean(shares) == pytest.approx(0.05, abs=4 * np.std(shares) / trials**0.5)


def test_refusals() -> None:
    for correct in (holm, benjamini_hochberg):
        with pytest.raises(UserError, match=r"family has 1\.2"):
            correct([0.1, 1.2])
        with pytest.raises(UserError, match="family has nan"):
            correct([0.1, float("nan")])
        with pytest.raises(UserError, match="Alpha"):
            correct([0.1], alpha=5)
