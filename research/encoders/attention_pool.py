"""A sum of the items, weighed by attention with a query for the last item, the user, or everybody.

::

    a_tj = softmax_{j<=t}( q . act(W x_j + b) ),   h_t = sum_j a_tj x_j

``learned`` with tanh is the long-term side of SLi-Rec (asymmetric SVD with attention, IJCAI 2019, there without b);
``user`` with relu is the first level of SHAN (IJCAI 2018); ``last`` reads the query off the latest item, q = U x_t.
NARM and STAMP add query and key instead of multiplying, and have files of their own.

Shape legend: B rows, T positions, Q reading positions, D width.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, pick, seen
from research.encoders.rows import Rows
from research.sizes import Sizes


class AttentionPool(Reader):
    """One softmax over the items of the view."""

    def __init__(
        self,
        sizes: Sizes,
        *,
        query: Literal["last", "user", "learned"] = "last",
        activation: Literal["tanh", "relu"] = "tanh",
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            query: who asks: the latest item, the user (a vector for each), or one learned vector.
            activation: of the keys.
            dropout: rate on the items.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        self.key = nn.Linear(width, width)
        self.activation = torch.tanh if activation == "tanh" else F.relu
        self.by = query
        self.query: nn.Linear | nn.Embedding
        if query == "last":
            self.query = nn.Linear(width, width, bias=False)
        else:
            self.query = nn.Embedding(sizes.n_users if query == "user" else 1, width)
            nn.init.normal_(self.query.weight, std=0.02)

    @property
    def user_table(self) -> Tensor | None:
        """The queries, where users ask."""
        return self.query.weight if self.by == "user" else None

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        query_B1QD = self._query(rows, x_BTD, position_B)[:, None]
        key_B1TD, x_B1TD = self.activation(self.key(x_BTD))[:, None], x_BTD[:, None]
        visible_B1QT = seen(rows, position_B)[:, None]
        return F.scaled_dot_product_attention(query_B1QD, key_B1TD, x_B1TD, visible_B1QT, scale=1.0).squeeze(1)

    def _query(self, rows: Rows, x_BTD: Tensor, position_B: Tensor | None) -> Tensor:
        last_BQD = pick(x_BTD, position_B)
        if self.by == "last":
            return self.query(last_BQD)
        if self.by == "learned":
            return self.query.weight.expand_as(last_BQD)
        assert rows.users_B is not None
        return self.query(rows.users_B)[:, None].expand_as(last_BQD)
