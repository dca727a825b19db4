"""Dropout whose mask comes from random bytes.

On a CPU torch draws one Bernoulli number a value in a single thread, 13 to 16 % of a training step. Here eight bytes
come from one 64-bit draw of a fast generator, whose state torch's draws for every mask, and one comparison writes them
as numbers. The rate is thereby rounded to a multiple of 1/256; the kept values are scaled by the rounded rate, so the
expectation is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.errors import UserError

_BITS = np.random.SFC64(0)
_STATE = _BITS.state
"""One generator for all masks of a process; nothing of it outlives a mask."""


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
        if not self._active:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.rate)
        return x * self._mask(x)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """``x + dropout(y)``, in one pass over the values."""
        if not self._active:
            return x + y
        if x.device.type != "cpu":
            return x + F.dropout(y, self.rate)
        return _AddMasked.apply(x, y, self._mask(y))

    @property
    def _active(self) -> bool:
        return self.training and self.threshold > 0

    def _mask(self, like: Tensor) -> Tensor:
        """0, or the factor that keeps the expectation."""
        # A generator of its own for each mask would take as long to make as half of the mask.
        _STATE["state"]["state"] = torch.randint(-(2**63), 2**63 - 1, (4,)).numpy().view(np.uint64)
        _BITS.state = _STATE
        draws = _BITS.random_raw(-(-like.numel() // 8))
        byte = torch.from_numpy(draws).view(torch.uint8)[: like.numel()].view(like.shape)
        # Written as numbers at once: a boolean mask would be made into numbers in a pass of its own.
        kept = torch.ge(byte, self.threshold, out=torch.empty(like.shape, dtype=like.dtype))
        return kept.mul_(256 / (256 - self.threshold))


class _AddMasked(torch.autograd.Function):
    """``x + y * mask``; autograd's addcmul would make one pass more on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        ctx.save_for_backward(mask)
        return torch.addcmul(x, y, mask)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (mask,) = ctx.saved_tensors
        return grad_outputs[0], grad_outputs[0] * mask, None
