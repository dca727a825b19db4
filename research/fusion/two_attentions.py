"""Both attentions of SHAN, asked by one query (Ying et al., IJCAI 2018).

::

    a_j = softmax_j(q . relu(W1 x_j + b1))   over the items before the window,   long = sum_j a_j x_j
    c_j = softmax_j(q . relu(W2 x_j + b2))   over {long} + items of the window,  interest = sum_j c_j x_j

The query is the short state: with ``encoder@short=user`` the user's vector, which both levels share as in the paper. In
``hierarchical`` the long vector comes from an encoder of any kind. Where nothing comes before the window, long is a
vector of zeros; the paper's users all have a session before. Items are read at the scale at which encoders read them,
sqrt(D) times the table's, because the query is.

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


class TwoAttentions(Fusion):
    """The long share is what the second attention gives to the outcome of the first."""

    branches: ClassVar[tuple[str, ...]] = ("short",)
    reads_before: ClassVar[bool] = True
    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Make the keys' layers.

        Args:
            sizes: of the run.
        """
        super().__init__()
        self.width = width = sizes.width
        self.before, self.among = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, views: Views) -> Fused:
        x_BTD, query_ND = views.rows.x_BTD * self.width**0.5, views.short_ND
        grid = ByRow(views.at, len(x_BTD))
        query_BQD = grid.lay(query_ND)
        start_BQ1, stop_BQ1 = grid.lay(views.start_N)[..., None], grid.lay(views.end_N)[..., None]
        step_T = torch.arange(x_BTD.shape[1], device=x_BTD.device)
        # Scores of whole rows cost T a query where items gathered for each would cost T x D.
        score_BQT = query_BQD @ self.before(x_BTD).relu().transpose(1, 2)
        # Where nothing comes before, a softmax needs something all the same; its outcome is dropped.
        weight_BQT = score_BQT.masked_fill(step_T >= start_BQ1.clamp(min=1), -torch.inf).softmax(dim=2)
        long_ND = grid.pick(weight_BQT @ x_BTD) * (views.start_N > 0)[:, None]

        score_BQT = query_BQD @ self.among(x_BTD).relu().transpose(1, 2)
        score_BQT = score_BQT.masked_fill((step_T < start_BQ1) | (step_T > stop_BQ1), -torch.inf)
        score_N1 = (query_ND * self.among(long_ND).relu()).sum(1, keepdim=True)
        weight_BQT = torch.cat([grid.lay(score_N1), score_BQT], dim=2).softmax(dim=2)
        long_N1 = grid.pick(weight_BQT[..., :1])
        interest_ND = long_N1 * long_ND + grid.pick(weight_BQT[..., 1:] @ x_BTD)
        return Fused(interest_ND, torch.cat([long_N1, 1 - long_N1], dim=1))
