"""The local encoder of NARM (Li et al., CIKM 2017, arXiv 1711.04725): attention over the states of a GRU.

::

    h = GRU(x),   a_tj = v . sigmoid(A1 h_t + A2 h_j),   c_t = sum_{j<=t} a_tj h_j

The global encoder is the state h_t itself, here ``gru`` in the other view; the two are then concatenated.
Departures: dropout on the items and on c_t instead of on the items and on the concatenation.

Shape legend: B rows, T positions, Q reading positions, D width.
"""

from __future__ import annotations

from torch import Tensor, nn

from research.encoders.additive import Additive
from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, pick, seen
from research.encoders.rows import Rows
from research.sizes import Sizes


class Narm(Reader):
    """Attention without softmax; the query is the latest state."""

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            dropout: rate on the items and on the states.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        self.cell = nn.GRU(width, width, batch_first=True)
        self.query = nn.Linear(width, width, bias=False)
        self.attention = Additive(width)

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        h_BTD, _ = self.cell(self.dropout(rows.x_BTD * self.width**0.5))
        weight_BQT = self.attention(self.query(pick(h_BTD, position_B)), h_BTD) * seen(rows, position_B)
        return self.dropout(weight_BQT @ h_BTD)
