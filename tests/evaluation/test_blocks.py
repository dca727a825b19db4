"""Evaluation blocks: every query exactly once on any number of processes, in the same company, whole history seen."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from research.data.split import LeaveOneOut, Queries
from research.errors import UserError
from research.evaluation.blocks import Blocks, BlockSampler, past_items
from research.evaluation.table import Ranks
from research.objectives.masked_item import MaskedItem
from research.objectives.next_item import NextItem


def queries_of_lengths(lengths: list[int]) -> Queries:
    stop = np.cumsum(lengths)
    return Queries(np.arange(len(lengths)), stop - np.array(lengths), stop, stop)


LENGTHS = np.random.default_rng(0).integers(1, 50, size=300).tolist()


class TestSampler:
    @pytest.mark.parametrize("world", [1, 2, 3, 16])
    @pytest.mark.parametrize("size", [1, 8, 256])
    def test_every_query_exactly_once(self, world: int, size: int) -> None:
        queries = queries_of_lengths(LENGTHS)
        samplers = [BlockSampler(queries, size, rank, world) for rank in range(world)]
        counted = Counter(int(q) for sampler in samplers for block in sampler for q in block)
        assert counted == dict.fromkeys(range(300), 1)
        assert [len(s) for s in samplers] == [len(list(s)) for s in samplers]

    @pytest.mark.parametrize("world", [2, 3])
    def test_the_company_does_not_depend_on_the_processes(self, world: int) -> None:
        queries = queries_of_lengths(LENGTHS)
        alone = {tuple(block.tolist()) for block in BlockSampler(queries, 8)}
        shared = [tuple(b.tolist()) for rank in range(world) for b in BlockSampler(queries, 8, rank, world)]
        assert set(shared) == alone and len(shared) == len(alone) == 38

    def test_a_block_holds_similar_lengths(self) -> None:
        blocks = [[LENGTHS[q] for q in block] for block in BlockSampler(queries_of_lengths(LENGTHS), 8)]
        assert [n for block in blocks for n in block] == sorted(LENGTHS)

    def test_few_queries_still_give_many_processes_work(self) -> None:
        queries = queries_of_lengths(LENGTHS[:20])
        assert [len(block) for block in BlockSampler(queries, 256)] == [2] * 10
        assert all(len(BlockSampler(queries, 256, rank, 10)) == 1 for rank in range(10))

    def test_more_processes_than_blocks(self) -> None:
        with pytest.raises(UserError, match=r"3 held-out items are too few for 4 processes.*trainer\.devices"):
            BlockSampler(queries_of_lengths(LENGTHS[:3]), 256, 0, 4)


class TestBlock:
    HISTORIES = ([1, 2, 3, 4, 5, 6, 7], [3, 3, 1], [7, 6, 5, 4])

    @pytest.mark.parametrize("chosen", [[0, 1, 2], [2, 0], [1]])
    def test_past_items_by_a_loop(self, make_histories, chosen: list[int]) -> None:
        histories = make_histories(*self.HISTORIES)
        row_S, item_S = past_items(histories, LeaveOneOut()(histories).test, np.array(chosen))
        expected = [(r, item) for r, u in enumerate(chosen) for item in self.HISTORIES[u][:-1]]
        assert list(zip(row_S.tolist(), item_S.tolist(), strict=True)) == expected

    def test_next_item_by_hand(self, make_histories) -> None:
        histories = make_histories(*self.HISTORIES)
        block = Blocks(histories, LeaveOneOut()(histories).test, NextItem(8), max_length=4)[np.array([2, 0])]
        assert block.batch.items_BT.tolist() == [[7, 6, 5, 0], [3, 4, 5, 6]], "only the latest items are read"
        assert block.at.row_N.tolist() == [0, 1] and block.at.position_N.tolist() == [2, 3]
        assert block.target_B.tolist() == [3, 6], "catalogue rows count from 0"
        seen = list(zip(block.seen_row_S.tolist(), block.seen_item_S.tolist(), strict=True))
        assert seen == [(0, 6), (0, 5), (0, 4), (1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5)], "all are filtered"
        assert block.query_B.tolist() == [2, 0] and block.batch.users_B.tolist() == [2, 0]

    def test_the_mask_has_room_in_the_longest_row(self, make_histories) -> None:
        histories = make_histories(*self.HISTORIES)
        block = Blocks(histories, LeaveOneOut()(histories).validation, MaskedItem(8), max_length=4)[np.array([0, 1])]
        assert block.batch.items_BT.tolist() == [[3, 4, 5, 8], [3, 8, 0, 0]]
        assert block.at.position_N.tolist() == [3, 1]
        assert block.target_B.tolist() == [5, 2]

    def test_moved_to_a_device_it_is_the_same(self, make_histories) -> None:
        import torch

        histories = make_histories(*self.HISTORIES)
        block = Blocks(histories, LeaveOneOut()(histories).test, NextItem(8), max_length=4)[np.array([0, 1, 2])]
        moved = block.to(torch.device("meta"))
        tensors = [
            moved.query_B,
            moved.target_B,
            moved.seen_row_S,
            moved.seen_item_S,
            moved.at.row_N,
            moved.at.position_N,
        ]
        tensors += [moved.batch.items_BT, moved.batch.times_BT, moved.batch.length_B, moved.batch.users_B]
        assert all(t.is_meta for t in tensors)


class TestRanks:
    def part(self, make_histories, chosen: list[int], weight: np.ndarray | None) -> Ranks:
        histories = make_histories(*TestBlock.HISTORIES)
        counts = [np.array(chosen) * 10 + n for n in (1, 2, 3)]
        queries = LeaveOneOut()(histories).test
        return Ranks.of_queries(histories, queries, np.array(chosen), *counts, weight_B2=weight)

    def test_parts_of_processes_become_one_table_in_the_order_of_the_queries(self, make_histories) -> None:
        parts = [self.part(make_histories, [2, 0], None), self.part(make_histories, [1, 2], None)]
        ranks = Ranks.gather(parts)
        assert ranks.query.tolist() == [0, 1, 2], "query 2 was ranked twice and stands once"
        assert ranks.better.tolist() == [1, 11, 21]
        assert ranks.ties.tolist() == [2, 12, 22]
        assert ranks.candidates.tolist() == [3, 13, 23]
        assert ranks.user.tolist() == [0, 1, 2]
        assert ranks.target.tolist() == [7, 1, 4]
        assert ranks.history_length.tolist() == [6, 2, 3]

    def test_mean_by_hand(self, make_histories) -> None:
        # Better 1 with ties 2: places 2, 3, 4. Better 11 is out.
        ranks = self.part(make_histories, [0, 1], None)
        assert ranks.mean("mrr@10") == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3 / 2)

    def test_stored_weights(self, make_histories) -> None:
        weight = np.array([[0.25, 0.75], [1.0, 0.0]])
        table = self.part(make_histories, [0, 1], weight).to_arrow().to_pydict()
        assert table["weight_long"] == [0.25, 1.0] and table["weight_short"] == [0.75, 0.0]
        assert "query" not in table
        absent = self.part(make_histories, [0, 1], None).to_arrow().to_pydict()
        assert absent["weight_long"] == absent["weight_short"] == [None, None]
