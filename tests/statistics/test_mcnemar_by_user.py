"""McNemar by user: by hand, the plain test where each user has one item, and its level under no effect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.mcnemar import mcnemar_test
from research.statistics.mcnemar_by_user import mcnemar_by_user


def test_by_hand() -> None:
    # Differences of users 1, 2, 3, 4: +2, +1, -1 + 1 = 0, 0. Of the four signs of (2, 1) two are as far as 3.
    user = np.array([1, 1, 2, 3, 3, 4])
    found = mcnemar_by_user(np.array([1, 1, 1, 0, 1, 1]), np.array([0, 0, 0, 1, 0, 1]), user)
    assert (found.first_only, found.second_only, found.users) == (4, 1, 3)
    assert found.p == pytest.approx(2 / 4)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 4), (5, 5), (12, 3), (1, 7)])
def test_one_item_a_user_is_the_exact_test(b: int, c: int) -> None:
    first = np.array([1] * b + [0] * c + [1, 0])
    second = np.array([0] * b + [1] * c + [1, 0])
    found = mcnemar_by_user(first, second, np.arange(len(first)))
    assert found.p == pytest.approx(mcnemar_test(first, second).exact_p)
    assert (found.first_only, found.second_only, found.users) == (b, c, b + c)


def test_many_users_come_near_to_obuchowskis_normal_form() -> None:
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(300), rng.integers(1, 6, size=300))
    first, second = rng.random(len(user)) < 0.34, rng.random(len(user)) < 0.3
    d = np.array([np.sum(first[user == u] * 1.0 - second[user == u]) for u in range(300)])
    expected = stats.chi2.sf(d.sum() ** 2 / np.sum(d**2), 1)
    assert 0.01 < expected < 0.6
    assert mcnemar_by_user(first, second, user, draws=20_000).p == pytest.approx(expected, abs=0.03)


def test_level_where_a_users_items_are_alike(chance) -> None:
    """A user prefers one of two equal runs for all eight items: the plain test finds far more than 5 %."""
    rng, trials, found, plain = np.random.default_rng(2), 400, 0, 0
    for _ in range(trials):
        user = np.repeat(np.arange(40), 8)
        side = (rng.random(40) < 0.5)[user]
        first, second = side & (rng.random(320) < 0.5), ~side & (rng.random(320) < 0.5)
        found += mcnemar_by_user(first, second, user, draws=500).p <= 0.05
        plain += mcnemar_test(first, second).exact_p <= 0.05
    assert found <= chance(trials).most(0.05)
    assert found > 0.01 * trials, "else the test finds nothing at all"
    assert plain > 0.2 * trials


def test_refusals() -> None:
    with pytest.raises(UserError, match="in between is a tie"):
        mcnemar_by_user(np.array([0, 0.5]), np.array([0, 1]), np.array([1, 2]))
    with pytest.raises(UserError, match="needs its user"):
        mcnemar_by_user(np.array([0, 1]), np.array([0, 1]), np.array([1]))
