"""What recurrent encoders share: dropout around a torch cell that runs over the row.

Right padding needs no packing: a state depends on earlier positions only, and states behind the end are never read.
A short view of one layer on a CPU takes another way to the same states (``windowed.py``): in training over the last 10
interactions it needs about half the time of torch's GRU and two thirds of that of torch's LSTM.

Shape legend: B rows, T positions, N asked positions, S tokens of any window, L layers, D width; G and P see
``windowed.py``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.chains import runs
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows, take
from research.encoders.steps import Step
from research.encoders.windowed import windowed
from research.errors import UserError
from research.sizes import Sizes


class Recurrent(Encoder):
    """``dropout(cell(dropout(x)))``; a subclass names the cell and its arithmetic."""

    causal: ClassVar[bool] = True
    takes_initial: ClassVar[bool] = True
    cell_type: ClassVar[type[nn.GRU] | type[nn.LSTM]]
    step: ClassVar[type[Step]]

    def __init__(self, sizes: Sizes, *, layers: int = 1, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run; a recurrent network needs no longest row.
            layers: stacked layers, at least 1.
            dropout: rate on the input, between layers and on the states.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if layers < 1:
            raise UserError(f"layers={layers}: a recurrent encoder has at least 1 layer.")
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        self.cell = self.cell_type(width, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)

    def encode(self, rows: Rows) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        if rows.initial_BD is None:
            h_BTD, _ = self.cell(x_BTD)
        else:
            h_LBD = rows.initial_BD.expand(self.cell.num_layers, -1, -1).contiguous()
            h_BTD, _ = self.cell(x_BTD, self.begin(h_LBD))
        return self.dropout(h_BTD)

    def begin(self, h_LBD: Tensor) -> Any:
        """torch's initial state from a hidden state for each layer; a cell with more memory starts that at zero."""
        return h_LBD

    def short_view(self, rows: Rows, at: Positions, start_N: Tensor, initial_ND: Tensor | None = None) -> Tensor:
        """As in the base class, but each token is read once for all windows that contain it.

        A token's dropout mask is therefore shared by these windows, and the mask on the states is drawn for those
        that are asked for.
        """
        if self.cell.num_layers > 1 or rows.x_BTD.device.type != "cpu" or initial_ND is not None:
            return super().short_view(rows, at, start_N, initial_ND)
        b, t = rows.shape
        used_S, found = runs(at, start_N, t, share=True).among_used(b * t)
        weight_GD, bias_G, weight_PD = self.step.weights(self.cell)
        # The scale of the input goes to the weights, of which there are fewer.
        gate_SG = F.linear(self.dropout(take(rows.x_BTD, used_S)), weight_GD * self.width**0.5, bias_G)
        return self.dropout(windowed(gate_SG, weight_PD, found, self.step))
