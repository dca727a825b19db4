"""Attention over the long vector and the items of the window: the second level of SHAN (Ying et al., IJCAI 2018).

``a_j = softmax_j(q . relu(W x_j + b))`` over ``{long} + items of the window``, ``interest = sum_j a_j x_j``. The query
is the short state. With ``encoder@short=user`` it is SHAN's user vector, and with an attention over the history as the
long encoder and ``overlap=false`` the model is SHAN. Departures: there the two levels share one user table; here items
are read as the encoders read them, times sqrt(D), so that they meet the long vector at its own scale.

Shape legend: B rows, T positions, N asked positions, Q most asked positions of a row, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from research.fusion.base import Fused, Fusion
from research.fusion.by_row import ByRow
from research.sizes import Sizes
from research.views import Views


class Hierarchical(Fusion):
    """The long vector is one more item among those of the window; the short branch's share is what those get."""

    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Make the keys' layer.

        Args:
            sizes: of the run.
        """
        super().__init__()
        self.width = sizes.width
        self.key = nn.Linear(sizes.width, sizes.width)

    def forward(self, views: Views) -> Fused:
        x_BTD, long_ND, query_ND = views.rows.x_BTD * self.width**0.5, views.long_ND, views.short_ND
        grid = ByRow(views.at, len(x_BTD))
        step_T = torch.arange(x_BTD.shape[1], device=x_BTD.device)
        start_BQ1, stop_BQ1 = grid.lay(views.start_N)[..., None], grid.lay(views.end_N)[..., None]
        # Scores of whole rows cost T a query where items of the window gathered for each would cost L x D.
        score_BQT = grid.lay(query_ND) @ self.key(x_BTD).relu().transpose(1, 2)
        score_BQT = score_BQT.masked_fill((step_T < start_BQ1) | (step_T > stop_BQ1), -torch.inf)
        score_N1 = (query_ND * self.key(long_ND).relu()).sum(1, keepdim=True)
        weight_BQT = torch.cat([grid.lay(score_N1), score_BQT], dim=2).softmax(dim=2)
        long_N1 = grid.pick(weight_BQT[..., :1])
        interest_ND = long_N1 * long_ND + grid.pick(weight_BQT[..., 1:] @ x_BTD)
        return Fused(interest_ND, torch.cat([long_N1, 1 - long_N1], dim=1))
