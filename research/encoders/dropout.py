"""Dropout whose mask comes from random bytes.

On a CPU torch draws one Bernoulli number a value in a single thread, 13 to 16 % of a training step. Here eight bytes
come from one 64-bit draw. The rate is thereby rounded to a multiple of 1/256; the kept values are scaled by the
rounded rate, so the expectation is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.errors import UserError


class Dropout(nn.Module):
    """Zero each value with probability ``rate`` while training and scale the others up."""

    def __init__(self, rate: float) -> None:
        """Set the rate.

        Raises:
            UserError: the rate is not in [0, 1).
        """
        super().__init__()
        if not 0 <= rate < 1:
            raise UserError(f"dropout={rate}: a rate lies between 0 and 1 (1 excluded), for example 0.1.")
        self.rate = rate
        self.threshold = min(255, round(rate * 256))  # 256 would keep nothing

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.threshold == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.rate)
        draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64)
        draws.random_(-(2**63), None)
        kept = (draws.view(torch.uint8)[: x.numel()] >= self.threshold).view(x.shape)
        return x * kept.to(x.dtype).mul_(256 / (256 - self.threshold))
