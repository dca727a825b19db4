"""What recurrent encoders share: dropout around a torch cell that runs over the row.

Right padding needs no packing: a state depends on earlier positions only, and states behind the end are never read.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.errors import UserError


class Recurrent(Encoder):
    """``dropout(cell(dropout(x)))``; a subclass names the cell."""

    causal: ClassVar[bool] = True
    cell_type: ClassVar[type[nn.GRU] | type[nn.LSTM]]

    def __init__(self, width: int, max_length: int, *, layers: int = 1, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            width: size of an item vector and of a state.
            max_length: longest row; a recurrent network needs no limit.
            layers: stacked layers, at least 1.
            dropout: rate on the input, between layers and on the states.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if layers < 1:
            raise UserError(f"layers={layers}: a recurrent encoder has at least 1 layer.")
        self.width = width
        self.dropout = Dropout(dropout)
        self.cell = self.cell_type(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)

    def encode(self, x_BTD: Tensor, length_B: Tensor) -> Tensor:
        h_BTD, _ = self.cell(self.dropout(x_BTD * self.width**0.5))
        return self.dropout(h_BTD)
