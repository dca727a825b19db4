"""Three readers on top of each other: the short-term side of SDM (Lv et al., CIKM 2019), as in its authors' code.

::

    r = LSTM(x), every layer after the first adds what it reads
    z = norm(r + O attention(Q r, K r, V r))     several heads, each state sees itself and earlier ones
    h_t = sum_{s<=t} a_ts z_s,   a_ts = softmax_{s<=t}( tanh(W u + b) . z_s / sqrt(D) )

Departures: items are their vectors alone, without shop, brand and category; the user is a vector of a table of its own
instead of profile features; dropout on items, users and what attention gives, not on its weights.

Shape legend: B rows, T positions, D width, H heads, E = D / H.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class SdmShort(Encoder):
    """A recurrent network, self-attention over its states, and a user who asks among those."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, layers: int = 1, heads: int = 1, dropout: float = 0.1) -> None:
        """Make the layers and a table of users.

        Args:
            sizes: of the run; its users are the table's rows.
            layers: of the LSTM, at least 1; the paper has 2.
            heads: H, a divisor of the width.
            dropout: see the head of this file.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        if layers < 1:
            raise UserError(f"layers={layers}: a recurrent encoder has at least 1 layer.")
        if heads < 1 or width % heads:
            raise UserError(
                f"heads={heads} does not divide width={width}; choose heads from the divisors of the width."
            )
        self.heads = heads
        self.cells = nn.ModuleList(nn.LSTM(width, width, batch_first=True) for _ in range(layers))
        self.qkv, self.out, self.norm = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.LayerNorm(width)
        self.users, self.query = nn.Embedding(sizes.n_users, width), nn.Linear(width, width)
        nn.init.normal_(self.users.weight, std=0.02)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        assert rows.users_B is not None
        h_BTD, _ = self.cells[0](self.dropout(rows.x_BTD * self.width**0.5))
        for cell in self.cells[1:]:
            h_BTD = h_BTD + cell(self.dropout(h_BTD))[0]
        z_BTD = self.norm(self.dropout.add(h_BTD, self._attend(h_BTD)))
        user_BD = self.dropout(self.users(rows.users_B) * self.width**0.5)
        query_BTD = self.query(user_BD).tanh()[:, None].expand_as(z_BTD)
        return F.scaled_dot_product_attention(query_BTD, z_BTD, z_BTD, is_causal=True)

    def _attend(self, h_BTD: Tensor) -> Tensor:
        q_BHTE, k_BHTE, v_BHTE = self.qkv(h_BTD).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        a_BHTE = F.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, is_causal=True)
        return self.out(a_BHTE.transpose(1, 2).flatten(2))
