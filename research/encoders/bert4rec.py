"""Bidirectional self-attention with hidden items, after BERT4Rec (Sun et al., CIKM 2019, arXiv 1904.06690).

Departures: pre-norm blocks (the paper normalises after adding), and no output bias. The paper's output layer, a
GELU projection with a norm, closes the encoder.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.block import Block
from research.encoders.stack import Stack
from research.sizes import Sizes


class Bert4Rec(Stack):
    """Learned positions, ``blocks`` blocks that see both sides, then ``norm(gelu(linear(h)))``."""

    causal: ClassVar[bool] = False

    def __init__(
        self, sizes: Sizes, *, blocks: int = 2, heads: int = 1, inner: int | None = None, dropout: float = 0.1
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is four times the width, as in the paper.
            dropout: rate behind the input and in every block.

        Raises:
            UserError: a value is out of its range.
        """
        inner = 4 * sizes.width if inner is None else inner
        made = [Block(sizes.width, heads, inner, dropout, activation=F.gelu, causal=False) for _ in range(blocks)]
        super().__init__(sizes, made, dropout)
        self.norm = nn.LayerNorm(sizes.width)
        self.out, self.norm_out = nn.Linear(sizes.width, sizes.width), nn.LayerNorm(sizes.width)

    def close(self, h: Tensor) -> Tensor:
        return self.norm_out(F.gelu(self.out(self.norm(h))))
