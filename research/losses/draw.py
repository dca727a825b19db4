"""Which items serve as negatives: uniform, by popularity, or other targets of the step.

Draws come with replacement from torch's generator, which the trainer seeds for every epoch as it does for dropout, so
a resumed run draws what it would have drawn. Popularity is drawn by a search in cumulated counts; torch.multinomial
stops at 2^24 items.

Shape legend: N supervised positions, I items.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Source = Literal["uniform", "popularity", "batch"]


class Draw(nn.Module):
    """Rows of the catalogue, from 0, and the logarithm of the probability with which each is drawn."""

    share_I: Tensor
    upto_I: Tensor

    def __init__(self, count_I: Tensor, source: Source, exponent: float) -> None:
        """Choose the distribution.

        Args:
            count_I: training interactions of each item.
            source: ``uniform`` over the catalogue, ``popularity`` in proportion to ``count ** exponent``, or
                ``batch``: any of the step's targets, which come in proportion to their counts.
            exponent: of the counts; only ``popularity`` uses it.
        """
        super().__init__()
        self.source, self.n_items = source, len(count_I)
        weight_I = count_I.double() if source == "batch" else count_I.double() ** exponent
        # An item without interactions is never drawn by popularity, whatever the exponent.
        weight_I = torch.where(count_I > 0, weight_I, 0.0)
        # Derived from the data, so it is no part of a checkpoint.
        self.register_buffer("share_I", weight_I / weight_I.sum().clamp(min=1e-300), persistent=False)
        self.register_buffer("upto_I", self.share_I.cumsum(0), persistent=False)

    def forward(self, shape: tuple[int, ...], target_N: Tensor) -> Tensor:
        """Draw rows of this shape for a step with these targets."""
        if self.source == "uniform":
            return torch.randint(self.n_items, shape, device=target_N.device)
        if self.source == "batch":
            return target_N[torch.randint(len(target_N), shape, device=target_N.device)]
        draw = torch.rand(shape, dtype=torch.float64, device=target_N.device) * self.upto_I[-1]
        # The first item whose cumulated share lies above the draw has a share above 0.
        return torch.searchsorted(self.upto_I, draw, right=True).clamp(max=self.n_items - 1)

    def log_q(self, row: Tensor) -> Tensor:
        """Log-probability of one draw; a target that training never counted has that of the rarest item."""
        if self.source == "uniform":
            return torch.full(row.shape, -math.log(self.n_items), device=row.device)
        least = self.share_I[self.share_I > 0].min()
        return self.share_I[row].clamp(min=least).log().float()
