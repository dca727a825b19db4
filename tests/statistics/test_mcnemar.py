"""McNemar's test: by hand, against scipy's binomial test, and its exact level for every number of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.mcnemar import McNemar, mcnemar_test


def of_counts(b: int, c: int, both: int = 3, neither: int = 5) -> McNemar:
    first = np.array([1] * b + [0] * c + [1] * both + [0] * neither)
    second = np.array([0] * b + [1] * c + [1] * both + [0] * neither)
    return mcnemar_test(first, second)


def test_by_hand() -> None:
    # The example of Fagerland, Lydersen, Laake (2013): one child against seven.
    result = of_counts(1, 7)
    assert (result.first_only, result.second_only) == (1, 7)
    assert result.exact_p == pytest.approx(2 * (1 + 8) / 256)
    assert result.mid_p == pytest.approx((2 * (1 + 8) - 8) / 256)


def test_as_many_on_either_side() -> None:
    # Of 16 orders of four users six have two on each side; no other outcome is as little extreme.
    assert of_counts(2, 2).exact_p == 1.0
    assert of_counts(2, 2).mid_p == pytest.approx(1 - 6 / 16 / 2)
    assert of_counts(0, 0).mid_p == 1.0


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 4), (5, 5), (12, 3), (40, 61), (2000, 2150)])
def test_exact_p_against_scipy(b: int, c: int) -> None:
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert of_counts(b, c).exact_p == pytest.approx(expected, rel=1e-9)
    assert of_counts(c, b).exact_p == pytest.approx(expected, rel=1e-9)
    assert of_counts(b, c).mid_p == of_counts(c, b).mid_p <= of_counts(b, c).exact_p


def test_users_on_whom_the_runs_agree_do_not_count() -> None:
    assert of_counts(3, 9, both=0, neither=0) == of_counts(3, 9, both=500, neither=800)


def levels(n: int) -> tuple[float, float]:
    """How often exact and mid-p reject at .05 under no effect, given n users on whom the runs disagree.

    All outcomes, weighted by their probability: no simulation is needed.
    """
    chance = stats.binom.pmf(np.arange(n + 1), n, 0.5)
    results = [of_counts(k, n - k) for k in range(n + 1)]
    exact = sum(w for w, r in zip(chance, results, strict=True) if r.exact_p <= 0.05)
    return exact, sum(w for w, r in zip(chance, results, strict=True) if r.mid_p <= 0.05)


def test_level_under_no_effect_given_the_discordant_users() -> None:
    found = [levels(n) for n in range(1, 60)]
    assert max(exact for exact, _ in found) <= 0.05
    assert all(exact <= mid for exact, mid in found)
    assert max(mid for _, mid in found) == pytest.approx(0.077, abs=5e-4), "as the documentation says"


@pytest.mark.parametrize(("users", "discordant"), [(30, 0.3), (100, 0.1), (100, 0.3)])
def test_level_under_no_effect_over_all_samples(users: int, discordant: float) -> None:
    share = stats.binom.pmf(np.arange(users + 1), users, discordant)[:80]
    exact, mid = share @ np.array([levels(n) for n in range(len(share))])
    assert exact < mid <= 0.05
    assert mid > 0.04


def test_booleans_are_hits() -> None:
    assert mcnemar_test(np.array([True, False, True]), np.array([0.0, 1.0, 1.0])).first_only == 1


def test_refusals() -> None:
    with pytest.raises(UserError, match="in between is a tie"):
        mcnemar_test(np.array([0, 0.5]), np.array([0, 1]))
    with pytest.raises(UserError, match="same users"):
        mcnemar_test(np.array([0, 1, 1]), np.array([0, 1]))
    with pytest.raises(UserError, match="in between"):
        mcnemar_test(np.array([0, 1]), np.array([0, np.nan]))
