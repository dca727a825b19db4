"""Two arms become one difference a user: by hand, in any order of rows, and never between different users."""

from __future__ import annotations

import numpy as np
import pytest

from research.errors import UserError
from research.statistics.pairs import Pair, checked
from research.statistics.permutation import sign_flip_test
from research.statistics.seeds_and_users import estimate


def test_differences_are_averaged_over_seeds() -> None:
    pair = Pair(np.array([[1.0, 0.0, 0.5], [0.0, 0.0, 1.0]]), np.array([[0.25, 0.5, 0.75]]))
    assert pair.difference_U.tolist() == [0.25, -0.5, 0.0]
    assert (pair.users, pair.seeds) == (3, (2, 1))


def test_the_same_values_in_another_order_are_no_difference() -> None:
    first, second = np.array([[0.1], [0.2], [0.3]]), np.array([[0.3], [0.2], [0.1]])
    assert first.mean(axis=0) != second.mean(axis=0), "else this example could not show a rounding error"
    pair = Pair(np.hstack([first, first]), np.hstack([second, first]))
    assert pair.difference_U.tolist() == [0.0, 0.0]


def test_runs_are_aligned_by_user() -> None:
    first = [(np.array([7, 3, 5]), np.array([0.7, 0.3, 0.5])), (np.array([3, 5, 7]), np.array([0.1, 0.5, 0.9]))]
    second = [(np.array([5, 7, 3]), np.array([0.0, 1.0, 0.0]))]
    pair = Pair.of_runs(first, second, second_deterministic=True)
    assert pair.first_SU.tolist() == [[0.3, 0.5, 0.7], [0.1, 0.5, 0.9]]
    assert pair.second_RU.tolist() == [[0.0, 0.0, 1.0]]
    assert pair.seed_noise_known


def test_a_user_with_several_rows_is_one_pair() -> None:
    """Four rows of users 5, 3, 5, 3 and one of user 9: sums by hand, times 3 users over 5 rows."""
    user_N = np.array([5, 3, 5, 3, 9])
    first = [(user_N, np.array([1.0, 0.5, 0.0, 0.25, 1.0])), (user_N[::-1], np.array([0.0, 1.0, 1.0, 0.0, 0.0]))]
    second = [(user_N, np.array([0.0, 0.0, 0.5, 0.0, 0.5]))]
    pair = Pair.of_runs(first, second)
    assert pair.first_SU == pytest.approx(np.array([[0.75, 1.0, 1.0], [1.0, 1.0, 0.0]]) * 3 / 5)
    assert pair.second_RU == pytest.approx(np.array([[0.0, 0.5, 0.5]]) * 3 / 5)
    rows = np.mean([value_N for _, value_N in first]) - np.mean(second[0][1])
    assert pair.difference_U.mean() == pytest.approx(rows), "what is tested is the difference of means over rows"
    assert (pair.users, pair.seeds) == (3, (2, 1))


def test_rows_of_one_user_are_not_taken_for_so_many_findings(chance) -> None:
    """No difference, but users of 1 to 9 rows that are much alike: by users 5 % are found, by rows far more."""
    rng, trials, found, naive = np.random.default_rng(11), 400, 0, 0
    for _ in range(trials):
        user_N = np.repeat(np.arange(60), rng.integers(1, 10, size=60))
        value_N = rng.normal(size=60)[user_N] + 0.3 * rng.normal(size=len(user_N))
        run, other = (user_N, value_N), (user_N, np.zeros(len(user_N)))
        one = Pair.of_runs([run], [other], first_deterministic=True, second_deterministic=True)
        found += sign_flip_test(one.difference_U, draws=500).p <= 0.05
        apart = (np.arange(len(user_N)), value_N), (np.arange(len(user_N)), np.zeros(len(user_N)))
        naive += estimate(Pair.of_runs(apart[:1], apart[1:])).p <= 0.05
    assert chance(trials).least(0.05) <= found <= chance(trials).most(0.05)
    assert naive > 0.2 * trials, "else this case would not show why users are the pairs"


@pytest.mark.parametrize(
    ("seeds", "deterministic", "known"),
    [
        ((2, 2), (False, False), True),
        ((2, 1), (False, False), False),
        ((1, 2), (False, True), False),
        ((2, 1), (False, True), True),
        ((1, 1), (True, True), True),
    ],
)
def test_seed_noise_is_known_with_two_seeds_or_none_to_know(
    seeds: tuple[int, int], deterministic: tuple[bool, bool], known: bool
) -> None:
    assert Pair(np.zeros((seeds[0], 4)), np.zeros((seeds[1], 4)), *deterministic).seed_noise_known is known


class TestRefused:
    def test_other_users(self) -> None:
        run, other = (np.array([1, 2]), np.zeros(2)), (np.array([1, 3]), np.zeros(2))
        with pytest.raises(UserError, match="do not rank the same users"):
            Pair.of_runs([run], [other])
        with pytest.raises(UserError, match="do not rank the same users"):
            Pair.of_runs([run, other], [run])

    def test_another_number_of_users(self) -> None:
        with pytest.raises(UserError, match="the first has 3, the second 4"):
            Pair(np.zeros((1, 3)), np.zeros((1, 4)))

    def test_a_user_more_often_in_one_run(self) -> None:
        run, other = ((np.array(users), np.zeros(3)) for users in ([1, 1, 2], [1, 2, 2]))
        with pytest.raises(UserError, match="do not rank the same users"):
            Pair.of_runs([run], [other])

    def test_no_run(self) -> None:
        with pytest.raises(UserError, match="at least one finished run"):
            Pair.of_runs([], [(np.array([1, 2]), np.zeros(2))])

    def test_no_number(self) -> None:
        with pytest.raises(UserError, match="no finite number"):
            Pair(np.array([[0.0, np.nan]]), np.zeros((1, 2)))
        with pytest.raises(UserError, match="no finite number"):
            checked(np.array([0.0, np.inf]))

    @pytest.mark.parametrize("shape", [(4,), (0, 4), (2, 1), (2, 2, 2)])
    def test_no_table(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(UserError, match="seeds x users"):
            Pair(np.zeros(shape), np.zeros((1, 4)))

    @pytest.mark.parametrize("shape", [(1,), (2, 2), ()])
    def test_no_differences(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(UserError, match="one difference a user"):
            checked(np.zeros(shape))
