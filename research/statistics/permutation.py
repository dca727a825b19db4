"""Paired sign-flip permutation test over users, two-sided.

Under the hypothesis that the two arms are exchangeable for each user, a difference d_u is as likely as -d_u. The test
asks in what share of all sign patterns the mean is as far from zero as the one observed. It assumes nothing about
the shape of the differences, which suits metrics that are zero for most users.

Users without a difference do not change under a flip and drop out. Up to ``EXACT`` others, all 2^n patterns are
counted. Above, patterns are drawn and the observed one is added to both sides, ``p = (1 + b) / (1 + draws)``, so p is
never zero and the test keeps its level for any number of draws (Phipson and Smyth, 2010).

What is unusual: eight users share one random byte. A byte picks one of the 256 signed sums of its eight users, so a
draw over 100,000 users takes 12,500 look-ups, and memory is one number a draw.

Many columns at once (``sign_flip_tests``: the arms of a table) share the signs of their users, which do not depend on
what else is tested. So a comparison has the same p wherever it stands, and the sums are one matrix product.

Source: Fisher, The Design of Experiments (1935), section 21; Smucker, Allan, Carterette, CIKM 2007, for ranking.

Shape legend: U users, R draws, G groups of eight users, C columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.pairs import checked

EXACT = 20
"""Differences up to which all patterns are counted: 2^20 sums take 8 MB."""

EQUAL = 1e-12
"""Sums closer than this share of sum |d_u| are equal: a rounding error should not decide a tie."""

FLIPS = 2.0 * (np.arange(256)[:, None] >> np.arange(8) & 1) - 1.0
"""``(256, 8)`` signs of a byte."""


@dataclass(frozen=True)
class SignFlip:
    """The test's result.

    Attributes:
        difference: mean over users.
        p: two-sided.
        exact: whether every sign pattern was counted.
        draws: patterns that were looked at.
        users: all users; ``changed`` of them differ between the arms.
    """

    difference: float
    p: float
    exact: bool
    draws: int
    users: int
    changed: int


def sign_flip_test(difference_U: np.ndarray, *, draws: int = 10_000, seed: int = 0) -> SignFlip:
    """Test that the mean difference is zero.

    Args:
        difference_U: first minus second arm, averaged over seeds, ``Pair.difference_U``.
        draws: random sign patterns where there are too many to count; the smallest p is ``1 / (draws + 1)``.
        seed: of the random patterns.

    Raises:
        UserError: fewer than two users, a difference that is not finite, no draws.
    """
    if draws < 1:
        raise UserError(f"A permutation test needs at least one draw; got {draws}. The default is 10,000.")
    difference_U = checked(difference_U)
    changed = difference_U[difference_U != 0]
    exact = len(changed) <= EXACT
    sums = all_sums(changed) if exact else drawn_sums(changed, draws, seed)
    observed = abs(changed.sum()) - EQUAL * np.abs(changed).sum()
    as_far = int(np.count_nonzero(np.abs(sums) >= observed))
    return SignFlip(
        difference=float(difference_U.mean()),
        p=as_far / len(sums) if exact else (as_far + 1) / (draws + 1),
        exact=exact,
        draws=len(sums),
        users=len(difference_U),
        changed=len(changed),
    )


def sign_flip_tests(difference_UC: np.ndarray, *, draws: int = 10_000, seed: int = 0) -> list[SignFlip]:
    """``sign_flip_test`` for each column, all with the same signs.

    Args:
        difference_UC: one column a comparison, of the same users in the same order.
        draws: random sign patterns of columns where there are too many to count.
        seed: of the random patterns.

    Raises:
        UserError: as ``sign_flip_test``.
    """
    columns = [checked(column_U) for column_U in np.asarray(difference_UC).T]
    small = [np.count_nonzero(column_U) <= EXACT for column_U in columns]
    found = [sign_flip_test(column_U) if few else None for column_U, few in zip(columns, small, strict=True)]
    drawn = [number for number, few in enumerate(small) if not few]
    if drawn:
        if draws < 1:
            raise UserError(f"A permutation test needs at least one draw; got {draws}. The default is 10,000.")
        value_UC = np.stack([columns[number] for number in drawn], axis=1)
        total_C = value_UC.sum(axis=0)
        observed_C = np.abs(total_C) - EQUAL * np.abs(value_UC).sum(axis=0)
        as_far_C = np.zeros(len(drawn), dtype=np.int64)
        for kept_RU in _coins(len(value_UC), draws, seed):
            sums_RC = 2 * (kept_RU @ value_UC) - total_C  # kept with +, the others with -
            as_far_C += np.count_nonzero(np.abs(sums_RC) >= observed_C, axis=0)
        for number, as_far in zip(drawn, as_far_C.tolist(), strict=True):
            column_U, p = columns[number], (as_far + 1) / (draws + 1)
            changed = int(np.count_nonzero(column_U))
            found[number] = SignFlip(float(column_U.mean()), p, False, draws, len(column_U), changed)
    return [one for one in found if one is not None]


def _coins(users: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks of ``(R, U)`` random zeros and ones, ``draws`` rows in all; a block has some 2 M."""
    rng = np.random.default_rng(seed)
    rows, bytes_a_row = max(1, 2_000_000 // users), -(-users // 8)
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        random = np.frombuffer(rng.bytes(count * bytes_a_row), dtype=np.uint8).reshape(count, bytes_a_row)
        yield np.unpackbits(random, axis=1, count=users).astype(np.float64)


def all_sums(value_U: np.ndarray) -> np.ndarray:
    """The signed sums of all 2^U patterns."""
    sums = np.zeros(1)
    for value in value_U:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def drawn_sums(value_U: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """``(R,)`` signed sums of random patterns."""
    rng = np.random.default_rng(seed)
    groups_G8 = np.append(value_U, np.zeros(-len(value_U) % 8)).reshape(-1, 8)
    sums_R = np.zeros(draws)
    for group in groups_G8:
        sums_R += (FLIPS @ group)[np.frombuffer(rng.bytes(draws), dtype=np.uint8)]
    return sums_R
