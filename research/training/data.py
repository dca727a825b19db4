"""The trainer's side of the data: which histories share a step, in which order, and Lightning's DataModule.

Batches are cut by array indexing in the training process; worker processes would only copy them.

Shape legend: S training spans, B spans of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import lightning as pl
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from research.data.batch import Positions, cut_spans
from research.data.histories import Histories
from research.data.split import Queries, Spans, Split
from research.evaluation.blocks import Block, Blocks, BlockSampler
from research.objectives.base import Objective, Supervised
from research.training.seeds import generator

POOL = 16
"""Batches that are sorted by length together: enough to pad little, few enough to keep the company random."""


class EpochSampler(Sampler[np.ndarray]):
    """Random batches of spans with similar lengths; the order is a function of seed and epoch alone.

    Each process takes its share of every batch, so a step means the same on one process and on many.
    """

    def __init__(self, spans: Spans, batch_size: int, seed: int, rank: int = 0, world: int = 1) -> None:
        """Name the spans.

        Args:
            spans: training spans.
            batch_size: spans of a step, on all processes together.
            seed: of the run.
            rank: this process.
            world: number of processes; each needs at least one span of every batch.
        """
        self.length_S = spans.length
        self.batch_size, self.seed, self.rank, self.world = batch_size, seed, rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        # A last batch with fewer spans than processes would leave one of them without work.
        full, rest = divmod(len(self.length_S), self.batch_size)
        return full + (rest >= self.world)

    def __iter__(self) -> Iterator[np.ndarray]:
        random = generator(self.seed, "order", self.epoch)
        order = random.permutation(len(self.length_S))
        pool = POOL * self.batch_size
        batches = []
        for i in range(0, len(order), pool):
            some = order[i : i + pool]
            some = some[np.argsort(self.length_S[some], kind="stable")]
            batches += [some[j : j + self.batch_size] for j in range(0, len(some), self.batch_size)]
        batches = [b for b in batches if len(b) >= self.world]
        for i in random.permutation(len(batches)):
            yield batches[i][self.rank :: self.world]


class TrainingBatches(Dataset):
    """``batches[span indices]`` is one supervised batch."""

    def __init__(
        self,
        histories: Histories,
        spans: Spans,
        objective: Objective,
        max_length: int,
        sampler: EpochSampler,
        columns: Sequence[str] = (),
    ) -> None:
        """Name the spans; ``sampler`` tells seed, epoch and process for the masks of a batch."""
        self.histories, self.spans, self.objective, self.sampler = histories, spans, objective, sampler
        self.columns = columns
        self.longest = max_length + objective.span

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, span_B: np.ndarray) -> Supervised:
        batch = cut_spans(self.histories, self.spans, span_B, self.longest, self.columns)
        stream = ("mask", self.sampler.epoch, self.sampler.rank, int(span_B[0]))
        return self.objective.supervise(batch, generator(self.sampler.seed, *stream))


class HistoryData(pl.LightningDataModule):
    """Histories and a split, as loaders for one objective."""

    def __init__(
        self,
        histories: Histories,
        split: Split,
        objective: Objective,
        *,
        max_length: int,
        batch_size: int,
        seed: int,
        block_size: int = 256,
        columns: Sequence[str] = (),
    ) -> None:
        """Name the data.

        Args:
            histories: the dataset.
            split: what is trained on and what is held out.
            objective: how a model is taught and asked.
            max_length: longest row of the model.
            batch_size: histories of a training step, on all processes together.
            seed: of the run.
            block_size: users that are evaluated together.
            columns: carried columns that the model reads; see `research.data.reading.columns_read`.
        """
        super().__init__()
        self.histories, self.split, self.objective = histories, split, objective
        self.max_length, self.batch_size, self.seed, self.block_size = (
            max_length,
            batch_size,
            seed,
            block_size,
        )
        # A span of one item teaches nothing when inputs are shifted.
        self.spans = split.train.take(split.train.length > objective.span)
        self.columns = columns

    @property
    def positions_per_step(self) -> float:
        """Supervised positions of an average step on all processes, the constant that losses are divided by.

        With it every position weighs the same, whatever the lengths of the histories it is batched with.
        """
        length_S = np.minimum(self.spans.length, self.max_length + self.objective.span)
        return float(self.objective.expected(length_S).sum()) / max(1, -(-len(self.spans) // self.batch_size))

    def _world(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def train_dataloader(self) -> DataLoader:
        sampler = EpochSampler(self.spans, self.batch_size, self.seed, *self._world())
        batches = TrainingBatches(self.histories, self.spans, self.objective, self.max_length, sampler, self.columns)
        return DataLoader(batches, batch_size=None, sampler=sampler)

    def val_dataloader(self) -> DataLoader:
        return self._blocks(self.split.validation)

    def test_dataloader(self) -> DataLoader:
        return self._blocks(self.split.test)

    def _blocks(self, queries: Queries) -> DataLoader:
        blocks = Blocks(self.histories, queries, self.objective, self.max_length, self.columns)
        return DataLoader(blocks, batch_size=None, sampler=BlockSampler(queries, self.block_size, *self._world()))

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        if isinstance(batch, Block):
            return batch.to(device)
        at = Positions(batch.at.row_N.to(device), batch.at.position_N.to(device))
        return replace(batch, batch=batch.batch.to(device), at=at, target_N=batch.target_N.to(device))
