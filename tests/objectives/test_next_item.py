"""The shifted sequence by hand."""

from __future__ import annotations

import numpy as np
import torch

from research.data.batch import Positions
from research.objectives.next_item import NextItem

RANDOM = np.random.default_rng(0)


def triples(at: Positions, target_N) -> list[tuple[int, int, int]]:
    return list(zip(at.row_N.tolist(), at.position_N.tolist(), target_N.tolist(), strict=True))


def test_targets_by_hand(make_batch) -> None:
    batch = make_batch([[5, 3, 5, 9], [7, 2]], [[10, 20, 30, 40], [1, 2]])
    supervised = NextItem(99).supervise(batch, RANDOM)
    assert triples(supervised.at, supervised.target_N) == [(0, 0, 3), (0, 1, 5), (0, 2, 9), (1, 0, 2)]
    assert supervised.batch.items_BT.tolist() == [[5, 3, 5], [7, 2, 0]]
    assert supervised.batch.times_BT.tolist() == [[10, 20, 30], [1, 2, 2]]
    assert supervised.batch.length_B.tolist() == [3, 1]
    assert supervised.batch.users_B.tolist() == [0, 1]


def test_the_last_item_is_a_target_and_never_an_input(make_batch) -> None:
    supervised = NextItem(99).supervise(make_batch([[1, 2, 3, 4]]), RANDOM)
    assert 4 not in supervised.batch.items_BT.tolist()[0]
    assert 4 in supervised.target_N.tolist()


def test_asked_positions_are_real_ones(make_batch) -> None:
    supervised = NextItem(99).supervise(make_batch([[1, 2, 3, 4, 5], [6, 7, 8], [9, 1]]), RANDOM)
    length_N = supervised.batch.length_B[supervised.at.row_N]
    assert (supervised.at.position_N < length_N).all()
    assert len(supervised.at) == 4 + 2 + 1


def test_a_row_of_one_item_teaches_nothing_and_breaks_nothing(make_batch) -> None:
    supervised = NextItem(99).supervise(make_batch([[1, 2, 3], [4]]), RANDOM)
    assert triples(supervised.at, supervised.target_N) == [(0, 0, 2), (0, 1, 3)]
    assert supervised.batch.length_B.tolist() == [2, 1], "an encoder may count on one item a row"


def test_chance_plays_no_part(make_batch) -> None:
    state = RANDOM.bit_generator.state
    NextItem(99).supervise(make_batch([[1, 2, 3]]), RANDOM)
    assert RANDOM.bit_generator.state == state


def test_a_query_asks_at_the_last_item(make_batch) -> None:
    batch = make_batch([[1, 2, 3], [4]], [[10, 20, 30], [7]])
    asked, at = NextItem(99).query(batch, torch.tensor([35, 99]))
    assert asked.items_BT is batch.items_BT and asked.times_BT is batch.times_BT
    assert asked.now_BT.tolist() == [[20, 30, 35], [99, 7, 7]]
    assert (at.row_N.tolist(), at.position_N.tolist()) == ([0, 1], [2, 0])


def test_expected_is_what_supervise_makes(make_batch) -> None:
    rows = [[1] * n for n in (1, 2, 7, 4)]
    supervised = NextItem(99).supervise(make_batch(rows), RANDOM)
    expected = NextItem(99).expected(np.array([1, 2, 7, 4]))
    assert expected.tolist() == [int((supervised.at.row_N == r).sum()) for r in range(4)] == [0, 1, 6, 3]
