"""How weights follow their gradients."""

from __future__ import annotations

import torch
from torch import nn

from research.errors import UserError
from research.training.touched import TouchedRows


class AdamW:
    """Fused AdamW (Loshchilov and Hutter, ICLR 2019); without decay it is Adam.

    The rate is constant unless a schedule moves it. Item tables with sparse gradients take steps at touched rows only.
    """

    def __init__(self, *, lr: float = 1e-3, weight_decay: float = 0.0, clip: float | None = None) -> None:
        """Set the rates.

        Args:
            lr: learning rate, above 0.
            weight_decay: decoupled decay, 0 or above; not of tables with sparse gradients.
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

    def __call__(self, module: nn.Module) -> torch.optim.Optimizer:
        """The optimizer of a module's parameters.

        Raises:
            UserError: the gradient is to be clipped, and its norm would need sparse gradients to be made dense.
        """
        tables = [m.weight for m in module.modules() if isinstance(m, nn.Embedding) and m.sparse]
        sparse = {id(weight) for weight in tables}
        if not sparse:
            return torch.optim.AdamW(module.parameters(), lr=self.lr, weight_decay=self.weight_decay, fused=True)
        if self.clip is not None:
            raise UserError(
                f"optimizer.clip={self.clip} with items.sparse=true: the norm of sparse gradients is not to be had. "
                "Use optimizer.clip=null, or items.sparse=false."
            )
        dense = [p for p in module.parameters() if id(p) not in sparse]
        return TouchedRows(dense, tables, lr=self.lr, weight_decay=self.weight_decay)
