"""The latest items through two gates, after HGN (Ma, Kang and Liu, KDD 2019, arXiv 1906.09217).

A feature gate chooses what of an item counts, an instance gate how much the item counts, both knowing the user::

    x'_j = x_j * sigmoid(W1 x_j + W2 u + b)
    g_j  = sigmoid(w3 . x'_j + (W4 u)_slot)         slot: the place of j among the last L items
    h    = sum_j g_j x'_j / sum_j g_j + sum_j x_j

The last sum is the paper's item-item term, sum_j x_j . x_candidate, which is a dot product with a sum and so belongs to
the state. Its user term is ``user`` in the other view, added. Departures: the gates' user vectors are a table of their
own; where a view has fewer than L items the absent ones have no gate (the authors' code gates zero vectors); items are
read and scored from one table.

Shape legend: B rows, T positions, L items, P = T + L - 1 padded positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class GatedGroup(Encoder):
    """Gates over the last ``items`` items of the view."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, items: int = 5, item_item: bool = True, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            items: L.
            item_item: whether the sum of the items is added (the paper's ablation leaves it out).
            dropout: rate on the items and on the users' vectors.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if items < 1:
            raise UserError(f"items={items}: at least 1 item.")
        self.width, self.reach, self.items, self.item_item = sizes.width, items, items, item_item
        self.users = nn.Embedding(sizes.n_users, sizes.width)
        nn.init.normal_(self.users.weight, std=0.02)
        self.feature = nn.Linear(sizes.width, sizes.width)
        self.feature_user = nn.Linear(sizes.width, sizes.width, bias=False)
        self.instance = nn.Linear(sizes.width, 1, bias=False)
        self.instance_user = nn.Linear(sizes.width, items, bias=False)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        assert rows.users_B is not None
        t = rows.shape[1]
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        user_BD = self.dropout(self.users(rows.users_B) * self.width**0.5)
        # The feature gate does not know the group, so an item is gated once for all groups that it is in.
        gated_BTD = x_BTD * torch.sigmoid(self.feature(x_BTD) + self.feature_user(user_BD)[:, None])
        # Minus infinity closes the gate of a slot before the row.
        logit_BP = F.pad(self.instance(gated_BTD).squeeze(2), (self.items - 1, 0), value=-torch.inf)
        logit_BTL = logit_BP.unfold(1, self.items, 1) + self.instance_user(user_BD)[:, None]
        # sigmoid / sum of sigmoids, by logarithms: where all gates of a group are shut to within rounding, 0 / 0.
        share_BTL = F.logsigmoid(logit_BTL).softmax(2)
        gated_BPD, x_BPD = (F.pad(v, (0, 0, self.items - 1, 0)) for v in (gated_BTD, x_BTD))
        h_BTD = torch.zeros_like(x_BTD)
        for slot in range(self.items):
            h_BTD = h_BTD + share_BTL[:, :, slot, None] * gated_BPD[:, slot : slot + t]
            if self.item_item:
                h_BTD = h_BTD + x_BPD[:, slot : slot + t]
        return h_BTD
