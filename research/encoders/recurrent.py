"""What recurrent encoders share: dropout around a torch cell that runs over the row.

Right padding needs no packing: a state depends on earlier positions only, and states behind the end are never read.
A short view of one layer on a CPU takes another way to the same states (``windowed.py``): in training over the last 10
interactions it needs about half the time of torch's GRU and two thirds of that of torch's LSTM.

Shape legend: B rows, T positions, N asked positions, S tokens of any window, D width, G and P see ``windowed.py``.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.base import Encoder, take
from research.encoders.chains import runs
from research.encoders.dropout import Dropout
from research.encoders.steps import Step
from research.encoders.windowed import windowed
from research.errors import UserError


class Recurrent(Encoder):
    """``dropout(cell(dropout(x)))``; a subclass names the cell and its arithmetic."""

    causal: ClassVar[bool] = True
    cell_type: ClassVar[type[nn.GRU] | type[nn.LSTM]]
    step: ClassVar[type[Step]]

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

    def short_view(self, x_BTD: Tensor, at: Positions, start_N: Tensor) -> Tensor:
        """As in the base class, but each token is read once for all windows that contain it.

        A token's dropout mask is therefore shared by these windows, and the mask on the states is drawn for those
        that are asked for.
        """
        if self.cell.num_layers > 1 or x_BTD.device.type != "cpu":
            return super().short_view(x_BTD, at, start_N)
        used_S, found = runs(at, start_N, x_BTD.shape[1], share=True).among_used(x_BTD.shape[0] * x_BTD.shape[1])
        weight_GD, bias_G, weight_PD = self.step.weights(self.cell)
        # The scale of the input goes to the weights, of which there are fewer.
        gate_SG = F.linear(self.dropout(take(x_BTD, used_S)), weight_GD * self.width**0.5, bias_G)
        return self.dropout(windowed(gate_SG, weight_PD, found, self.step))
