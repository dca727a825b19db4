"""Bidirectional self-attention with hidden items, after BERT4Rec (Sun et al., CIKM 2019, arXiv 1904.06690).

Departures: pre-norm blocks (the paper normalises after adding), and no output bias. The paper's output layer, a
GELU projection with a norm, closes the encoder.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.block import Block
from research.encoders.dropout import Dropout
from research.errors import UserError


class Bert4Rec(Encoder):
    """Learned positions, ``blocks`` blocks that see both sides, then ``norm(gelu(linear(h)))``."""

    causal: ClassVar[bool] = False

    def __init__(
        self,
        width: int,
        max_length: int,
        *,
        blocks: int = 2,
        heads: int = 2,
        inner: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder.

        Args:
            width: size of an item vector and of a state.
            max_length: longest row.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is four times the width, as in the paper.
            dropout: rate behind the input and in every block.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if blocks < 1:
            raise UserError(f"blocks={blocks}: at least 1.")
        self.width = width
        self.positions = nn.Embedding(max_length, width)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(width, heads, 4 * width if inner is None else inner, dropout, activation=F.gelu, causal=False)
            for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)
        self.out, self.norm_out = nn.Linear(width, width), nn.LayerNorm(width)

    def encode(self, x_BTD: Tensor, length_B: Tensor) -> Tensor:
        t = x_BTD.shape[1]
        visible_B11T = (torch.arange(t, device=x_BTD.device) < length_B[:, None])[:, None, None, :]
        h_BTD = self.dropout(x_BTD * self.width**0.5 + self.positions.weight[:t])
        for block in self.blocks:
            h_BTD = block(h_BTD, visible_B11T)
        return self.norm_out(F.gelu(self.out(self.norm(h_BTD))))
