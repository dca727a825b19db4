"""The items as the user weighs them: the long-term side of SDM (Lv et al., CIKM 2019), as in its authors' code.

::

    a_tj = softmax_{j<=t}( tanh(w . [u; x_j] + b) / sqrt(D) ),   h_t = tanh(W sum_j a_tj x_j + c)

The logit of an item is the same for every position, so all states are two running sums. Departures: items are the only
field (theirs: item, shop, brand and category, pooled each and laid side by side); the view is the whole history, theirs
the last seven days; the user is a vector of the table's own instead of profile features; dropout on items and users.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.sizes import Sizes


class SdmLong(Encoder):
    """One softmax over the items of the view, then a layer."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the layers and a table of users.

        Args:
            sizes: of the run; its users are the table's rows.
            dropout: rate on the items and on the users' vectors.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        self.users = nn.Embedding(sizes.n_users, width)
        nn.init.normal_(self.users.weight, std=0.02)
        self.of_user, self.of_item = nn.Linear(width, 1), nn.Linear(width, 1, bias=False)
        self.out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        assert rows.users_B is not None
        scale = self.width**0.5
        x_BTD = self.dropout(rows.x_BTD * scale)
        user_B1D = self.dropout(self.users(rows.users_B) * scale)[:, None]
        # A logit lies within 1 / sqrt(D) of 0: its exponential needs no maximum taken off.
        weight_BT1 = ((self.of_user(user_B1D) + self.of_item(x_BTD)).tanh() / scale).exp()
        return self.out((weight_BT1 * x_BTD).cumsum(1) / weight_BT1.cumsum(1)).tanh()
