"""The memory of STAMP (Liu et al., KDD 2018): the mean of the items plus items weighed for the last click.

::

    m_t = mean_{j<=t} x_j
    a_tj = w0 . sigmoid(W1 x_j + W2 x_t + W3 m_t + b)
    h_t = m_t + sum_{j<=t} a_tj x_j

The last click itself is STAMP's short-term side: a window of one item with ``mean``. The two are then multiplied.
Departure: dropout on the items.

Shape legend: B rows, T positions, Q reading positions, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.additive import Additive
from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, pick, seen
from research.encoders.rows import Rows
from research.sizes import Sizes


class Stamp(Reader):
    """Attention without softmax whose query is the last item and the mean."""

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            dropout: rate on the items.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        self.attention = Additive(width)
        self.last, self.mean = nn.Linear(width, width), nn.Linear(width, width, bias=False)

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        count_T1 = torch.arange(1, rows.shape[1] + 1, device=x_BTD.device)[:, None]
        mean_BQD = pick(x_BTD.cumsum(1) / count_T1, position_B)
        query_BQD = self.last(pick(x_BTD, position_B)) + self.mean(mean_BQD)
        weight_BQT = self.attention(query_BQD, x_BTD) * seen(rows, position_B)
        return mean_BQD + weight_BQT @ x_BTD
