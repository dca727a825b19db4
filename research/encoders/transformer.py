"""Causal self-attention over the history, after SASRec (Kang and McAuley, ICDM 2018, arXiv 1808.09781).

Departures: standard pre-norm residuals (SASRec normalises only the query and adds it back normalised), rows are
right-padded so that position 0 is the oldest item of the view, and attention weights have no dropout (see ``block``).

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.base import Encoder
from research.encoders.block import Block
from research.encoders.dropout import Dropout
from research.errors import UserError


class Transformer(Encoder):
    """Learned positions, ``blocks`` causal blocks, a final norm."""

    causal: ClassVar[bool] = True

    def __init__(
        self,
        width: int,
        max_length: int,
        *,
        blocks: int = 2,
        heads: int = 1,
        inner: int | None = None,
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder.

        Args:
            width: size of an item vector and of a state.
            max_length: longest row.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is the model's width, as in SASRec.
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
            Block(width, heads, width if inner is None else inner, dropout, causal=True) for _ in range(blocks)
        )
        self.norm = nn.LayerNorm(width)

    def encode(self, x_BTD: Tensor, length_B: Tensor) -> Tensor:
        h_BTD = self.dropout(x_BTD * self.width**0.5 + self.positions.weight[: x_BTD.shape[1]])
        for block in self.blocks:
            h_BTD = block(h_BTD)
        return self.norm(h_BTD)
