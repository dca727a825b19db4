"""The sign-flip test: by hand, by enumeration, against scipy, its fast path, and its level by simulation."""

from __future__ import annotations

import tracemalloc
from itertools import product

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.permutation import EXACT, drawn_sums, sign_flip_test, sign_flip_tests


def enumerated(whole: np.ndarray) -> float:
    """Share of sign patterns of whole numbers with a sum as far from zero: no rounding, no cleverness."""
    sums = [
        abs(sum(s * int(x) for s, x in zip(signs, whole, strict=True))) for signs in product((1, -1), repeat=len(whole))
    ]
    return float(np.mean([total >= abs(int(whole.sum())) for total in sums]))


class TestExact:
    def test_by_hand(self) -> None:
        result = sign_flip_test(np.array([1.0, 2.0, 3.0]))
        assert result.p == 2 / 8, "only +++ and --- reach 6"
        assert (result.difference, result.exact, result.draws) == (2.0, True, 8)

    def test_by_hand_with_a_negative_difference(self) -> None:
        # |sum| = 4; patterns of 1, 2, 3: 6, 4, 2, 0 and their negatives
        assert sign_flip_test(np.array([-1.0, 2.0, 3.0])).p == 4 / 8

    def test_one_count_of_hits_is_a_binomial_test(self) -> None:
        difference = np.array([1.0] * 12 + [-1.0] * 4)
        assert sign_flip_test(difference).p == pytest.approx(stats.binomtest(12, 16).pvalue, rel=1e-12)

    def test_users_without_a_difference_drop_out(self) -> None:
        difference = np.array([1.0, 2.0, 3.0, 0.0, 0.0, 0.0])
        result = sign_flip_test(difference)
        assert (result.p, result.changed, result.users, result.difference) == (0.25, 3, 6, 1.0)

    def test_no_user_differs(self) -> None:
        assert sign_flip_test(np.zeros(5)).p == 1.0

    def test_a_rounding_error_decides_no_tie(self) -> None:
        rng = np.random.default_rng(3)
        for _ in range(30):
            whole = rng.integers(-9, 10, size=10)
            assert sign_flip_test(whole / 10).p == enumerated(whole), whole

    def test_against_scipy(self) -> None:
        difference = np.random.default_rng(5).normal(0.4, 1, size=11)
        oracle = stats.permutation_test(
            (difference,), np.mean, permutation_type="samples", n_resamples=2**11, alternative="two-sided"
        )
        assert sign_flip_test(difference).p == pytest.approx(oracle.pvalue, rel=1e-12)


class TestDrawn:
    def test_sums_are_those_of_a_plain_loop(self) -> None:
        value = np.random.default_rng(0).normal(size=21)
        rng = np.random.default_rng(9)
        sign_RU = np.hstack(
            [
                np.unpackbits(np.frombuffer(rng.bytes(40), np.uint8)[:, None], axis=1, bitorder="little")
                for _ in range(3)
            ]
        )
        expected = [sum(v if sign else -v for v, sign in zip(value, signs, strict=False)) for signs in sign_RU]
        np.testing.assert_allclose(drawn_sums(value, 40, seed=9), expected, atol=1e-13)

    def test_every_user_flips_by_itself(self) -> None:
        # Powers of two tell each sign from the sum; 17 users span three bytes.
        sums = drawn_sums(2.0 ** np.arange(17), 4000, seed=1).astype(int)
        bits = ((sums + 2**17 - 1) // 2)[:, None] >> np.arange(17) & 1
        assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / 4000**0.5
        correlation = np.corrcoef(bits.T) - np.eye(17)
        assert np.abs(correlation).max() < 5 / 4000**0.5

    def test_p_is_near_the_exact_one(self) -> None:
        whole = np.random.default_rng(8).integers(1, 6, size=EXACT + 2) * np.array([1, 1, 1, -1] * 5 + [1, -1])
        # The exact distribution of the sum of signed whole numbers, by convolution.
        distribution = np.ones(1)
        for x in np.abs(whole):
            step = np.zeros(2 * x + 1)
            step[[0, -1]] = 0.5
            distribution = np.convolve(distribution, step)
        total = np.arange(len(distribution)) - np.abs(whole).sum()
        exact = distribution[np.abs(total) >= abs(whole.sum())].sum()
        result = sign_flip_test(whole.astype(float), draws=20_000)
        assert not result.exact
        assert abs(result.p - exact) < 5 * (exact * (1 - exact) / 20_000) ** 0.5 + 1e-4

    def test_p_is_never_zero(self) -> None:
        assert sign_flip_test(np.ones(60), draws=99).p == 1 / 100

    def test_a_seed_names_its_draws(self) -> None:
        difference = np.random.default_rng(2).normal(0.1, 1, size=300)
        assert sign_flip_test(difference, draws=500, seed=4) == sign_flip_test(difference, draws=500, seed=4)
        assert not np.array_equal(drawn_sums(difference, 500, seed=4), drawn_sums(difference, 500, seed=5))

    def test_memory_does_not_grow_with_users_times_draws(self) -> None:
        difference = np.random.default_rng(2).normal(size=100_000)
        tracemalloc.start()
        sign_flip_test(difference, draws=2_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6, "100,000 users x 2,000 draws of one byte would be 200 MB"


def test_level_under_no_effect(chance) -> None:
    """Most users do not differ, the others by steps, as with NDCG@10 of two arms."""
    rng, trials = np.random.default_rng(11), 1500
    false = 0
    for trial in range(trials):
        size = rng.choice([0, 0, 0, 1, 0.63, 0.5, 0.31], size=150)
        difference = size * rng.choice([-1, 1], size=150)
        false += sign_flip_test(difference, draws=399, seed=trial).p <= 0.05
    assert chance(trials).least(0.05) <= false <= chance(trials).most(0.05)


def test_finds_an_effect(chance) -> None:
    """A t test finds half a standard deviation with 44 users in 90 %; the sign-flip test should come close."""
    rng, trials = np.random.default_rng(12), 300
    found = sum(sign_flip_test(rng.normal(0.5, 1, size=44), draws=399, seed=t).p <= 0.05 for t in range(trials))
    assert found >= chance(trials).least(0.88)


def test_refusals() -> None:
    with pytest.raises(UserError, match="at least one draw"):
        sign_flip_test(np.ones(3), draws=0)
    with pytest.raises(UserError, match="two users at least"):
        sign_flip_test(np.ones(1))


class TestManyColumns:
    def test_few_differences_are_enumerated(self) -> None:
        columns = np.array([[1.0, -1.0, 0.0], [2.0, 2.0, 0.0], [3.0, 3.0, 0.0]])
        assert [one.p for one in sign_flip_tests(columns)] == [2 / 8, 4 / 8, 1.0]
        assert all(one.exact for one in sign_flip_tests(columns))

    def test_many_by_a_plain_loop_over_the_same_signs(self) -> None:
        rng = np.random.default_rng(0)
        columns = np.round(rng.normal(0.2, 1, size=(43, 3)), 2)  # 43 is no multiple of eight
        random = np.random.default_rng(5)
        as_far = np.zeros(3, dtype=int)
        for row in np.frombuffer(random.bytes(300 * 6), dtype=np.uint8).reshape(300, 6):
            bits = "".join(f"{byte:08b}" for byte in row.tolist())[:43]
            for at in range(3):
                total = sum(x if bit == "1" else -x for x, bit in zip(columns[:, at].tolist(), bits, strict=True))
                as_far[at] += abs(total) >= abs(columns[:, at].sum()) - 1e-9
        assert [one.p for one in sign_flip_tests(columns, draws=300, seed=5)] == ((as_far + 1) / 301).tolist()

    def test_p_is_that_of_one_column_but_for_the_draws(self) -> None:
        rng = np.random.default_rng(1)
        columns = rng.normal([0.0, 0.1, 0.25], 1, size=(100, 3))
        for at, one in enumerate(sign_flip_tests(columns, draws=20_000)):
            alone = sign_flip_test(columns[:, at], draws=20_000)
            assert one.p == pytest.approx(alone.p, abs=5 * (0.25 / 20_000) ** 0.5 * 2)
            assert (one.difference, one.users, one.changed) == (alone.difference, alone.users, alone.changed)

    def test_a_column_has_the_same_p_whatever_stands_beside_it(self) -> None:
        columns = np.random.default_rng(2).normal(0.1, 1, size=(60, 4))
        together = [one.p for one in sign_flip_tests(columns, draws=500)]
        assert [sign_flip_tests(columns[:, [at]], draws=500)[0].p for at in range(4)] == together

    def test_no_draws(self) -> None:
        with pytest.raises(UserError, match="at least one draw; got 0"):
            sign_flip_tests(np.ones((30, 1)), draws=0)
