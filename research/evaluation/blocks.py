"""Test users in fixed blocks: every user exactly once, in the same company on one process and on many.

A block is made of queries with similar history lengths. The blocks depend on the queries alone; a process takes every
``world``-th block whole. So each user's numbers come from the same arithmetic however many processes there are.

Shape legend: Q queries, B queries of a block, S seen interactions of a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from research.data.batch import Batch, Positions, cut
from research.data.histories import Histories
from research.data.split import Queries
from research.errors import UserError
from research.objectives.base import Objective


@dataclass(frozen=True)
class Block:
    """Some queries, ready for a model.

    Attributes:
        query_B: which queries these are.
        batch: what the model reads.
        at: one asked position a row.
        target_B: catalogue row (item - 1) of the held-out item.
        seen_row_S: row of each earlier interaction, of the whole history and not only of its latest items.
        seen_item_S: catalogue row of its item.
    """

    query_B: Tensor
    batch: Batch
    at: Positions
    target_B: Tensor
    seen_row_S: Tensor
    seen_item_S: Tensor

    def to(self, device: torch.device) -> Block:
        """The same block on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("query_B", "target_B", "seen_row_S", "seen_item_S")}
        at = Positions(self.at.row_N.to(device), self.at.position_N.to(device))
        return replace(self, batch=self.batch.to(device), at=at, **moved)


def past_items(histories: Histories, queries: Queries, chosen_B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Everything before the targets of some queries.

    Returns:
        ``row_S`` and ``item_S`` (int64, from 1) of each earlier interaction; repeated items stand repeatedly.
    """
    start_B = queries.start[chosen_B]
    length_B = queries.stop[chosen_B] - start_B
    before_B = np.concatenate([[0], length_B.cumsum()[:-1]])
    position_S = np.arange(length_B.sum()) + np.repeat(start_B - before_B, length_B)
    return np.repeat(np.arange(len(chosen_B)), length_B), histories.items[position_S].astype(np.int64)


class Blocks(Dataset):
    """Queries by block; ``blocks[indices]`` prepares the queries with these indices."""

    def __init__(
        self,
        histories: Histories,
        queries: Queries,
        objective: Objective,
        max_length: int,
        columns: Sequence[str] = (),
    ) -> None:
        """Name the queries.

        Args:
            histories: the dataset.
            queries: which held-out items are asked for.
            objective: how the model is asked.
            max_length: longest row of the model.
            columns: carried columns that the model reads.
        """
        self.histories, self.queries, self.objective, self.columns = histories, queries, objective, columns
        self.longest = max_length - objective.query_room

    def __len__(self) -> int:
        return len(self.queries)

    def __getitem__(self, query_B: np.ndarray) -> Block:
        start_B, stop_B = self.queries.start[query_B], self.queries.stop[query_B]
        first_B = np.maximum(start_B, stop_B - self.longest)
        batch = cut(self.histories, self.queries.user[query_B], first_B, stop_B, self.columns)
        now_B = self.histories.times[self.queries.target[query_B]].astype(np.int64)
        asked, at = self.objective.query(batch, torch.from_numpy(now_B))
        row_S, item_S = past_items(self.histories, self.queries, query_B)
        return Block(
            query_B=torch.from_numpy(query_B),
            batch=asked,
            at=at,
            target_B=torch.from_numpy(self.histories.items[self.queries.target[query_B]].astype(np.int64) - 1),
            seen_row_S=torch.from_numpy(row_S),
            seen_item_S=torch.from_numpy(item_S - 1),
        )


class BlockSampler(Sampler[np.ndarray]):
    """Yields the query indices of each block of one process."""

    def __init__(self, queries: Queries, size: int = 256, rank: int = 0, world: int = 1) -> None:
        """Cut the queries into blocks.

        Args:
            queries: all of them.
            size: queries of a block at most; few queries still make 16 blocks, so that many processes have work.
            rank: this process.
            world: number of processes.

        Raises:
            UserError: there are fewer blocks than processes.
        """
        size = max(1, min(size, -(-len(queries) // 16)))
        order = np.argsort(queries.stop - queries.start, kind="stable")
        blocks = [order[i : i + size] for i in range(0, len(order), size)]
        if len(blocks) < world:
            raise UserError(f"{len(queries)} held-out items are too few for {world} processes: lower trainer.devices.")
        self.blocks = blocks[rank::world]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.blocks)

    def __len__(self) -> int:
        return len(self.blocks)
