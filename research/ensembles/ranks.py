"""Reciprocal rank fusion (Cormack, Clarke & Buettcher, SIGIR 2009): only the order of each run's scores counts.

Departs: equal scores share the mean of their ranks, where the paper's runs have an order without ties.

Shape legend: R runs, B queries, I items.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from research.ensembles.base import Rule, shares

K = 60
"""The paper's constant: how much less the first places count than 1/rank would have it."""


class Ranks(Rule):
    """``sum_r w_r / (60 + rank_r)``, ranks from 1."""

    def __init__(self, n_runs: int, weights: Sequence[float] | None) -> None:
        self._weights = shares(n_runs, weights)

    def combine(self, score_RBI: Tensor) -> Tensor:
        weight_R = torch.tensor(self._weights, dtype=score_RBI.dtype)
        return torch.einsum("r,rbi->bi", weight_R, 1 / (K + mean_ranks(score_RBI)))

    @property
    def weights(self) -> list[float]:
        return self._weights


def mean_ranks(score: Tensor) -> Tensor:
    """``(..., I)`` ranks from 1, the highest score first; equal scores share their mean."""
    ascending = score.sort(dim=-1).values
    below = torch.searchsorted(ascending, score.contiguous(), side="left")
    not_above = torch.searchsorted(ascending, score.contiguous(), side="right")
    n = score.shape[-1]
    # Ranks n - not_above + 1 to n - below belong to the equals.
    return ((n - not_above + 1) + (n - below)).to(score.dtype) / 2
