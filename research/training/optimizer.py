"""How weights follow their gradients."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from research.errors import UserError


class AdamW:
    """Fused AdamW (Loshchilov and Hutter, ICLR 2019) with a constant rate; without decay it is Adam."""

    def __init__(self, *, lr: float = 1e-3, weight_decay: float = 0.0, clip: float | None = None) -> None:
        """Set the rates.

        Args:
            lr: learning rate, above 0.
            weight_decay: decoupled decay, 0 or above.
            clip: largest norm of the gradient, or ``None``.

        Raises:
            UserError: a value is out of its range.
        """
        if lr <= 0 or weight_decay < 0 or (clip is not None and clip <= 0):
            raise UserError(
                f"optimizer.lr={lr}, weight_decay={weight_decay}, clip={clip}: the learning rate and the clip lie "
                "above 0, the decay is not negative."
            )
        self.lr, self.weight_decay, self.clip = lr, weight_decay, clip

    def __call__(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimizer of these parameters."""
        return torch.optim.AdamW(parameters, lr=self.lr, weight_decay=self.weight_decay, fused=True)
