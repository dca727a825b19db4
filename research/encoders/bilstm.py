"""A bidirectional LSTM (Schuster and Paliwal, IEEE Trans. Signal Processing 1997), for hidden items only.

A state reads what comes before and after its position, so with the next-item objective it would read the answer. A
short view ends where it is asked: there the backward direction has one step, and little is gained over ``lstm``.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class BiLSTM(Encoder):
    """``dropout(out([forward; backward]))``, each direction as wide as the model."""

    causal: ClassVar[bool] = False

    def __init__(self, sizes: Sizes, *, layers: int = 1, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            layers: stacked layers, at least 1; each reads both directions of the one below.
            dropout: rate on the input, between layers and on the states.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if layers < 1:
            raise UserError(f"layers={layers}: a recurrent encoder has at least 1 layer.")
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        rate = dropout if layers > 1 else 0.0
        self.cell = nn.LSTM(width, width, layers, batch_first=True, dropout=rate, bidirectional=True)
        self.out = nn.Linear(2 * width, width)

    def encode(self, rows: Rows) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        # Packed, because the backward direction must begin at a row's last item and not behind it.
        packed = pack_padded_sequence(x_BTD, rows.length_B.cpu(), batch_first=True, enforce_sorted=False)
        both, _ = pad_packed_sequence(self.cell(packed)[0], batch_first=True, total_length=rows.shape[1])
        return self.dropout(self.out(both))
