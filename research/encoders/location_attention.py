"""Attention that asks everybody the same: the global side of FISSA (Lin et al., RecSys 2020), as in its authors' code.

::

    a_tj = softmax_{j<=t}(q . K x_j),   y = norm(sum_j a_tj V x_j),   h_t = norm(y + feed_forward(y))

``q`` is one learned vector, divided among the heads; its products are not divided by the width. Departure: a position
sees itself and earlier items, where the code lets every position of a training row see the whole row, what is asked for
included. Dropout lies on the items, on what attention gives and in the feed-forward layer, not on the weights.

Shape legend: B rows, T positions, Q reading positions, D width, H heads, E = D / H.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, seen
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class LocationAttention(Reader):
    """Keys and values read the items, and nothing but the items."""

    def __init__(self, sizes: Sizes, *, heads: int = 1, dropout: float = 0.1) -> None:
        """Make the layers.

        Args:
            sizes: of the run.
            heads: H, a divisor of the width.
            dropout: see the head of this file.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        if heads < 1 or width % heads:
            raise UserError(
                f"heads={heads} does not divide width={width}; choose heads from the divisors of the width."
            )
        self.query = nn.Parameter(torch.randn(heads, width // heads) * width**-0.5)
        # A bias of the keys would be the same for all of them, and a softmax does not see that.
        self.key, self.value = nn.Linear(width, width, bias=False), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, width)
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        x_BTD, heads = self.dropout(rows.x_BTD * self.width**0.5), len(self.query)
        k_BHTE, v_BHTE = (part(x_BTD).unflatten(2, (heads, -1)).transpose(1, 2) for part in (self.key, self.value))
        visible_B1QT = seen(rows, position_B)[:, None]
        q_BHQE = self.query[:, None].to(k_BHTE.dtype).expand(len(x_BTD), -1, visible_B1QT.shape[2], -1)
        a_BHQE = F.scaled_dot_product_attention(q_BHQE, k_BHTE, v_BHTE, visible_B1QT, scale=1.0)
        y_BQD = self.norm_attention(self.dropout(a_BHQE.transpose(1, 2).flatten(2)))
        inner_BQD = self.dropout(self.inner(y_BQD).relu())
        return self.norm_inner(self.dropout.add(y_BQD, self.outer(inner_BQD)))
