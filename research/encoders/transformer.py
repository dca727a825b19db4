"""Causal self-attention over the history, after SASRec (Kang and McAuley, ICDM 2018, arXiv 1808.09781).

Departures: standard pre-norm residuals (SASRec normalises only the query and adds it back normalised), rows are
right-padded so that position 0 is the oldest item of the view, and attention weights have no dropout (see ``block``).
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.block import Block
from research.encoders.stack import Stack
from research.sizes import Sizes


class Transformer(Stack):
    """Learned positions, ``blocks`` causal blocks, a final norm."""

    causal: ClassVar[bool] = True

    def __init__(
        self, sizes: Sizes, *, blocks: int = 2, heads: int = 1, inner: int | None = None, dropout: float = 0.1
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is the model's width, as in SASRec.
            dropout: rate behind the input and in every block.

        Raises:
            UserError: a value is out of its range.
        """
        inner = sizes.width if inner is None else inner
        made = [Block(sizes.width, heads, inner, dropout, causal=True) for _ in range(blocks)]
        super().__init__(sizes, made, dropout)
        self.norm = nn.LayerNorm(sizes.width)

    def close(self, h: Tensor) -> Tensor:
        return self.norm(h)
