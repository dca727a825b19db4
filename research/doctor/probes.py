"""Users of the instrument whose results are known beforehand, ranked as baselines and as models are.

Both ways are those of a run: a baseline's scores go through ``rank_baseline``, a model's vectors through fixed blocks
and ``count_better_fused``.

Shape legend: Q queries, B queries of a block, I items, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from research.data.histories import Histories
from research.data.split import Queries, Spans, Split
from research.evaluation.baselines.base import Baseline, rank_baseline
from research.evaluation.blocks import Blocks, BlockSampler
from research.evaluation.dot_ranks import Catalogue, count_better_fused
from research.evaluation.table import Ranks
from research.fusion.base import Fused
from research.objectives.next_item import NextItem

WIDTH = 32
"""Of the vectors; as many random directions as a catalogue has items are still told apart."""

SCORES = 100_000_000
"""Scores that one probe computes at most: a second or two."""

QUERIES = 1024


@dataclass(frozen=True)
class Bench:
    """Some test queries of a dataset, evenly taken, with what a plain loop says of each.

    Attributes:
        histories: the dataset.
        split: its test queries are the chosen ones.
        target_Q: held-out item, from 1.
        seen: per query, all items before the target.
        max_length: longest row of a model.
    """

    histories: Histories
    split: Split
    target_Q: list[int]
    seen: list[set[int]]
    max_length: int

    @staticmethod
    def of(histories: Histories, split: Split, max_length: int) -> Bench:
        """Take as many queries as can be ranked in seconds."""
        size = min(QUERIES, max(32, SCORES // histories.n_items), len(split.test))
        queries = take(split.test, np.unique(np.linspace(0, len(split.test) - 1, size).astype(np.int64)))
        runs = zip(queries.start.tolist(), queries.stop.tolist(), strict=True)
        return Bench(
            histories=histories,
            split=Split(split.name, split.train, split.validation, queries),
            target_Q=[int(histories.items[position]) for position in queries.target.tolist()],
            seen=[set(histories.items[start:stop].tolist()) for start, stop in runs],
            max_length=max_length,
        )

    @property
    def fresh_Q(self) -> np.ndarray:
        """Whether the target is new to its user. One that is not cannot be recommended and stands last."""
        return np.array([target not in seen for target, seen in zip(self.target_Q, self.seen, strict=True)])

    @property
    def candidates_Q(self) -> list[int]:
        """Items that could be recommended, the target among them."""
        pairs = zip(self.target_Q, self.seen, strict=True)
        return [self.histories.n_items - len(seen - {target}) for target, seen in pairs]

    def ranked(self, score_QI: Scores) -> Ranks:
        """As a baseline is ranked."""
        return rank_baseline(score_QI, self.histories, self.split)

    def ranked_vectors(
        self, interest_QD: torch.Tensor, item_ID: torch.Tensor, *, size: int = 256, processes: int = 1
    ) -> Ranks:
        """As a model is ranked, on one process or as if on several.

        Args:
            interest_QD: one vector a query.
            item_ID: one an item.
            size: queries of a block at most.
            processes: the blocks of so many are put together.
        """
        queries, catalogue = self.split.test, Catalogue(item_ID)
        blocks = Blocks(self.histories, queries, NextItem(0), self.max_length)
        parts = []
        for rank in range(processes):
            for chosen_B in BlockSampler(queries, size, rank, processes):
                block = blocks[chosen_B]
                fused = Fused(interest_QD[block.query_B], None)
                found = count_better_fused(fused, catalogue, block.target_B, block.seen_row_S, block.seen_item_S)
                better_B, ties_B, candidates_B = (count.numpy() for count in found)
                row = (block.query_B.numpy(), better_B, ties_B, candidates_B)
                parts.append(Ranks.of_queries(self.histories, queries, *row, weight_B2=None))
        return Ranks.gather(parts)


def take(queries: Queries, chosen: np.ndarray) -> Queries:
    """Some of the queries, by index."""
    return Queries(queries.user[chosen], queries.start[chosen], queries.stop[chosen], queries.target[chosen])


class Scores(Baseline):
    """A baseline that learns nothing."""

    def fit(self, histories: Histories, train: Spans) -> None:
        """Nothing to read."""


class Oracle(Scores):
    """The target scores 1, all else 0."""

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        score_BI = np.zeros((len(chosen_B), histories.n_items), dtype=np.float32)
        score_BI[np.arange(len(chosen_B)), histories.items[queries.target[chosen_B]] - 1] = 1.0
        return score_BI


class Constant(Scores):
    """Everything scores the same."""

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        return np.full((len(chosen_B), histories.n_items), 0.5, dtype=np.float32)


class Shuffled(Scores):
    """A random order of the catalogue for each query, without ties."""

    def __init__(self, number: int = 0) -> None:
        """Choose among as many orders as one likes."""
        self.number = number

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        streams = [np.random.default_rng([7, self.number, int(query)]) for query in chosen_B]
        orders = [random.permutation(histories.n_items) for random in streams]
        return np.stack(orders).astype(np.float64)


class Coarse(Scores):
    """Whole numbers from 0 to 4, so that most items tie."""

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        rows = [np.random.default_rng([8, int(query)]).integers(0, 5, histories.n_items) for query in chosen_B]
        return np.stack(rows).astype(np.float32)


class Remembering(Scores):
    """What the user has seen scores 1, all else 0."""

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        score_BI = np.zeros((len(chosen_B), histories.n_items), dtype=np.float32)
        for row, query in enumerate(chosen_B):
            score_BI[row, histories.items[queries.start[query] : queries.stop[query]] - 1] = 1.0
        return score_BI
