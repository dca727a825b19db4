"""Both states side by side through a layer of neurons (SDM's option ``concat``; TransAct's ranker in small)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.dropout import Dropout
from research.errors import UserError
from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class ConcatMLP(StateFusion):
    """``interest = V relu(W [long; short] + b) + c``. Neurons mix the branches, so a share of each is not defined."""

    def __init__(self, sizes: Sizes, *, hidden: int | None = None, dropout: float = 0.1) -> None:
        """Make the layers.

        Args:
            sizes: of the run.
            hidden: neurons, at least 1; ``None`` is twice the width, what comes in.
            dropout: rate on the neurons.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        width = sizes.width
        hidden = 2 * width if hidden is None else hidden
        if hidden < 1:
            raise UserError(f"fusion.hidden={hidden}: a layer has at least 1 neuron, or null for twice the width.")
        self.inner, self.out = nn.Linear(2 * width, hidden), nn.Linear(hidden, width)
        self.dropout = Dropout(dropout)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        inner_NH = self.inner(torch.cat([long_ND, short_ND], dim=1)).relu()
        return Fused(self.out(self.dropout(inner_NH)), None)
