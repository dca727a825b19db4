"""A vector gate that knows the user, beside the two states: the fusion of SDM (Lv et al., CIKM 2019).

``g = sigmoid(W [short; long; user] + b)``, ``interest = g * short + (1 - g) * long``, as in the authors' code.
Departure: the user is a learned vector of its own instead of an embedding of profile features.

Shape legend: N asked positions, D width, G gates (D or 1).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from research.fusion.base import Fused, Fusion
from research.sizes import Sizes
from research.views import Views


class UserGate(Fusion):
    """Some users are led by the evening, some by the years: the gate may learn which."""

    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, elementwise: bool = True, std: float = 0.02) -> None:
        """Make the gate and a table of users.

        Args:
            sizes: of the run; its users are the table's rows.
            elementwise: one gate a dimension; otherwise one number a position (SDM's ``g_units_one``).
            std: standard deviation of the users' initial values.
        """
        super().__init__()
        width = sizes.width
        self.users = nn.Embedding(sizes.n_users, width)
        nn.init.normal_(self.users.weight, std=std)
        self.gate = nn.Linear(3 * width, width if elementwise else 1)

    def forward(self, views: Views) -> Fused:
        long_ND, short_ND = views.long_ND, views.short_ND
        g_NG = self.gate(torch.cat([short_ND, long_ND, self.users(views.user_N)], dim=1)).sigmoid()
        share_N = g_NG.mean(dim=1)
        return Fused(g_NG * short_ND + (1 - g_NG) * long_ND, torch.stack([1 - share_N, share_N], dim=1))
