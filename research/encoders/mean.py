"""The mean of the items seen so far: the simplest encoder that reads a history, and deaf to its order.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.sizes import Sizes


class Mean(Encoder):
    """``sum(dropout(x)) / count``; it has no weights of its own."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            dropout: rate on the items.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = sizes.width
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        sum_BTD = self.dropout(rows.x_BTD * self.width**0.5).cumsum(1)
        return sum_BTD / torch.arange(1, rows.shape[1] + 1, device=sum_BTD.device)[:, None]
