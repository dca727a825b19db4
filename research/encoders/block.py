"""One pre-norm transformer block: attention, then a feed-forward layer, each added to what came in.

Shape legend: B rows, T positions, N asked positions, D width, H heads, E = D / H.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.dropout import Dropout
from research.encoders.layer import Layer
from research.encoders.rows import take
from research.errors import UserError


class Block(Layer):
    """``x + dropout(attention(norm(x)))``, then ``x + dropout(feed_forward(norm(x)))``.

    Attention weights are not dropped out: the kernel that could is several times slower, and hidden dropout does the
    work (SASRec drops both).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        dropout: float,
        *,
        activation: Callable[[Tensor], Tensor] = F.relu,
        causal: bool,
    ) -> None:
        """Make the layers.

        Args:
            width: D.
            heads: H, must divide the width.
            inner: width of the feed-forward layer.
            dropout: rate behind both layers and inside the feed-forward one.
            activation: of the feed-forward layer.
            causal: whether a position sees only itself and earlier ones.

        Raises:
            UserError: the heads do not divide the width, or ``inner`` is below 1.
        """
        super().__init__()
        if inner < 1:
            raise UserError(f"inner={inner}: a feed-forward layer is at least 1 wide, or null for its default.")
        if heads < 1 or width % heads:
            raise UserError(
                f"heads={heads} does not divide width={width}; choose heads from the divisors of the width."
            )
        self.heads, self.causal, self.activation = heads, causal, activation
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, visible_B11T: Tensor | None = None) -> Tensor:
        """Apply the block.

        Args:
            x_BTD: states.
            visible_B11T: which positions may be attended to; needed only without causality, since right padding
                lies behind every real position.
        """
        return self._behind(x_BTD, self._attend(x_BTD, visible_B11T))

    def asked(self, x_BTD: Tensor, at: Positions, visible_B11T: Tensor | None = None) -> Tensor:
        """``(N, D)``: what ``forward`` gives at the asked positions, without computing the others."""
        b, t, _ = x_BTD.shape
        flat_N = at.row_N * t + at.position_N
        if len(at) == b and torch.equal(at.row_N, torch.arange(b, device=at.row_N.device)):
            a_ND = self._attend_once(x_BTD, at.position_N, visible_B11T)
        else:
            a_ND = take(self._attend(x_BTD, visible_B11T), flat_N)
        return self._behind(take(x_BTD, flat_N), a_ND)

    def _attend(self, x_BTD: Tensor, visible_B11T: Tensor | None) -> Tensor:
        b, t, d = x_BTD.shape
        qkv = self.qkv(self.norm_attention(x_BTD)).view(b, t, 3, self.heads, d // self.heads)
        q_BHTE, k_BHTE, v_BHTE = qkv.permute(2, 0, 3, 1, 4)
        a_BHTE = F.scaled_dot_product_attention(q_BHTE, k_BHTE, v_BHTE, attn_mask=visible_B11T, is_causal=self.causal)
        return a_BHTE.transpose(1, 2).reshape(b, t, d)

    def _attend_once(self, x_BTD: Tensor, position_B: Tensor, visible_B11T: Tensor | None) -> Tensor:
        """One query a row, ``(B, D)``."""
        b, t, d = x_BTD.shape
        h_BTD = self.norm_attention(x_BTD)
        step_T = torch.arange(t, device=x_BTD.device)
        q_BD = F.linear(h_BTD[torch.arange(b, device=x_BTD.device), position_B], self.qkv.weight[:d], self.qkv.bias[:d])
        kv = F.linear(h_BTD, self.qkv.weight[d:], self.qkv.bias[d:]).view(b, t, 2, self.heads, d // self.heads)
        k_BHTE, v_BHTE = kv.permute(2, 0, 3, 1, 4)
        mask = (step_T <= position_B[:, None])[:, None, None, :] if self.causal else visible_B11T
        q_BH1E = q_BD.view(b, self.heads, 1, d // self.heads)
        return F.scaled_dot_product_attention(q_BH1E, k_BHTE, v_BHTE, attn_mask=mask).reshape(b, d)

    def _behind(self, x: Tensor, a: Tensor) -> Tensor:
        """What follows the attention, for each position alone."""
        x = self.dropout.add(x, self.out(a))
        inner = self.dropout(self.activation(self.inner(self.norm_inner(x))))
        return self.dropout.add(x, self.outer(inner))
