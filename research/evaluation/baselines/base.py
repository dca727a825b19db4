"""Baselines without training, ranked by the same count as every model and printed in every table.

Shape legend: S spans, N training interactions, B queries of a block, I items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
from omegaconf import DictConfig

from research.data.histories import Histories
from research.data.prepare import cache_of
from research.data.split import Queries, Spans, Split
from research.evaluation.blocks import BlockSampler, past_items
from research.evaluation.judge import judge
from research.evaluation.published import Published
from research.evaluation.ranks import count_better
from research.evaluation.scores import DenseScores
from research.evaluation.table import Ranks
from research.schema import build


class Baseline(ABC):
    """Keyword arguments are its configuration."""

    cache: Path | None = None
    """The data cache of a run, for what is encoded once; ``None``: the usual one."""

    @abstractmethod
    def fit(self, histories: Histories, train: Spans) -> None:
        """Read the training spans."""

    @abstractmethod
    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        """``(B, I)`` scores of the queries with these indices."""


def baseline_of(config: DictConfig) -> Baseline:
    """The baseline of a composed run.

    Raises:
        UserError: it may not be built, or a value is out of range.
    """
    baseline = build(config.baseline, Baseline)
    baseline.cache = cache_of(config)
    return baseline


def rank_baseline(baseline: Baseline, histories: Histories, split: Split, rule: Published | None = None) -> Ranks:
    """Fit on the training spans and rank the test targets, seen items filtered unless a published rule says else."""
    baseline.fit(histories, split.train)
    queries, parts = split.test, []
    judged = judge(rule, histories, split.train, queries)
    for chosen_B in BlockSampler(queries):
        scores = DenseScores(torch.from_numpy(baseline.score(histories, queries, chosen_B)).float())
        target_B = torch.from_numpy(histories.items[queries.target[chosen_B]].astype(np.int64) - 1)
        row_S, item_S = past_items(histories, queries, chosen_B)
        asked = (target_B, torch.from_numpy(row_S), torch.from_numpy(item_S - 1))
        counts = judged(scores, torch.from_numpy(chosen_B), *asked) if judged else count_better(scores, *asked)
        parts.append(Ranks.of_queries(histories, queries, chosen_B, *(c.numpy() for c in counts), weight_B2=None))
    return Ranks.gather(parts)
