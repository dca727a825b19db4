"""A weighted mean of standardised scores; with equal weights, over the seeds of one arm, the usual ensemble."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from research.ensembles.base import Rule, shares, standardised


class Weighted(Rule):
    """``sum_r w_r standardised(score_r)``."""

    def __init__(self, n_runs: int, weights: Sequence[float] | None) -> None:
        self._weights = shares(n_runs, weights)

    def combine(self, score_RBI: Tensor) -> Tensor:
        weight_R = torch.tensor(self._weights, dtype=score_RBI.dtype)
        return torch.einsum("r,rbi->bi", weight_R, standardised(score_RBI))

    @property
    def weights(self) -> list[float]:
        return self._weights
