"""The short-term state asks the long history: attention from one view to all states of the other.

``interest = short + O attention(Q short, K long states, V long states)``: multi-head attention (Vaswani et al., 2017)
with a residual. SIM, ETA and TWIN let the candidate ask; here the short state does, so that a score stays a dot product
and the catalogue can be ranked in full. Every position sees the states of its own row up to itself, or with
``overlap=false`` up to the beginning of its window.

Shape legend: B rows, T positions, N asked positions, Q most asked positions of a row, D width, H heads, E = D / H.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from research.encoders.dropout import Dropout
from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.fusion.by_row import ByRow
from research.sizes import Sizes
from research.views import Views


class CrossAttention(Fusion):
    """The answer of the history is added to the short state, so a share of each is not defined."""

    reads_order: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, heads: int = 1, dropout: float = 0.1) -> None:
        """Make the projections.

        Args:
            sizes: of the run.
            heads: H, a divisor of the width.
            dropout: rate on the answer.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        width = sizes.width
        if heads < 1 or width % heads:
            raise UserError(f"fusion.heads={heads} does not divide width={width}; choose one of its divisors.")
        self.heads = heads
        self.query, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.dropout = Dropout(dropout)

    def forward(self, views: Views) -> Fused:
        short_ND, state_BTD = views.short_ND, views.long_BTD
        (b, t, d), grid = state_BTD.shape, ByRow(views.at, len(state_BTD))
        last_N = views.at.position_N if views.overlap else views.start_N - 1
        q_BHQE = grid.lay(self.query(short_ND)).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k_BHTE, v_BHTE = self.key_value(state_BTD).view(b, t, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Where nothing may be seen, a softmax needs something all the same; its answer is dropped below.
        visible_B1QT = torch.arange(t, device=last_N.device) <= grid.lay(last_N.clamp(min=0))[:, None, :, None]
        a_BHQE = F.scaled_dot_product_attention(q_BHQE, k_BHTE, v_BHTE, attn_mask=visible_B1QT)
        answer_ND = self.out(grid.pick(a_BHQE.transpose(1, 2).reshape(b, -1, d)))
        return Fused(short_ND + self.dropout(answer_ND) * (last_N >= 0)[:, None], None)
