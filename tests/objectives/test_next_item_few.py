"""A few next items: which, how many, how often, and from which generator."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

from research.data.batch import Batch
from research.errors import UserError
from research.objectives.next_item_few import NextItemFew

ROWS = [list(range(1, 11)), [20, 21, 22], [30, 31], [40]]


def drawn(objective: NextItemFew, batch: Batch, seed: int) -> list[tuple[int, int, int]]:
    supervised = objective.supervise(batch, np.random.default_rng(seed))
    at = supervised.at
    return list(zip(at.row_N.tolist(), at.position_N.tolist(), supervised.target_N.tolist(), strict=True))


def test_the_right_items_of_three_positions_at_most(make_batch) -> None:
    batch = make_batch(ROWS)
    for seed in range(20):
        found = drawn(NextItemFew(99, positions=3), batch, seed)
        assert found == sorted(found)
        assert Counter(row for row, _, _ in found) == {0: 3, 1: 2, 2: 1}
        assert all(target == ROWS[row][position + 1] for row, position, target in found)


def test_what_is_read_is_the_shifted_row(make_batch) -> None:
    supervised = NextItemFew(99, positions=1).supervise(make_batch(ROWS), np.random.default_rng(0))
    shifted = [list(range(1, 10)), [20, 21, 22], [30, 31], [40]]  # the last column goes; zeros behind the others stay
    assert supervised.batch.items_BT.tolist() == [[*row, *[0] * (9 - len(row))] for row in shifted]
    assert supervised.batch.length_B.tolist() == [9, 2, 1, 1]


def test_the_last_ones(make_batch) -> None:
    found = drawn(NextItemFew(99, positions=2, chosen="last"), make_batch(ROWS), 0)
    assert found == [(0, 7, 9), (0, 8, 10), (1, 0, 21), (1, 1, 22), (2, 0, 31)]


def test_each_position_is_as_likely_as_another(make_batch) -> None:
    found = drawn(NextItemFew(99, positions=2), make_batch([[1, 2, 3, 4, 5, 6]] * 4000), 0)
    assert len(found) == 8000
    share = np.bincount([position for _, position, _ in found]) / 4000
    assert share.tolist() == pytest.approx([0.4] * 5, abs=4 * math.sqrt(0.24 / 4000))


def test_the_generator_alone_decides_and_the_next_epoch_draws_others(make_batch) -> None:
    batch, objective = make_batch(ROWS), NextItemFew(99, positions=2)
    torch.manual_seed(0)
    first = drawn(objective, batch, 3)
    torch.manual_seed(1)
    assert drawn(objective, batch, 3) == first
    assert len({tuple(drawn(objective, batch, seed)) for seed in range(10)}) > 5


def test_expected_is_what_supervise_makes(make_batch) -> None:
    assert NextItemFew(99, positions=3).expected(np.array([10, 3, 2, 1])).tolist() == [3, 2, 1, 0]


def test_no_position() -> None:
    with pytest.raises(UserError, match=r"objective\.positions=0"):
        NextItemFew(99, positions=0)
