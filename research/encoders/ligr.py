"""Causal self-attention with gated residuals, as in eSASRec (Tikhonovich et al., RecSys 2025).

The block is that of LiGR (arXiv 2502.03417) as eSASRec's authors publish it in RecTools::

    x = x + sigmoid(G1 x) * dropout(attention(norm(x)))
    x = x + sigmoid(G2 x) * dropout(W3 dropout(silu(W1 n) * W2 n)),   n = norm(x)

Departures: those of ``transformer``.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.block import Block
from research.encoders.stack import Stack
from research.sizes import Sizes


class LigrBlock(Block):
    """The usual attention; what follows it is gated."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        """Make the layers; arguments and errors as for ``Block``."""
        super().__init__(width, heads, inner, dropout, activation=F.silu, causal=True)
        self.gate_attention, self.gate_inner = nn.Linear(width, width), nn.Linear(width, width)
        self.inner, self.beside = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.outer = nn.Linear(inner, width, bias=False)

    def _behind(self, x: Tensor, a: Tensor) -> Tensor:
        x = x + torch.sigmoid(self.gate_attention(x)) * self.dropout(self.out(a))
        n = self.norm_inner(x)
        inner = self.dropout(self.activation(self.inner(n)) * self.beside(n))
        return x + torch.sigmoid(self.gate_inner(x)) * self.dropout(self.outer(inner))


class Ligr(Stack):
    """Learned positions, ``blocks`` gated blocks, a final norm."""

    causal: ClassVar[bool] = True

    def __init__(
        self, sizes: Sizes, *, blocks: int = 2, heads: int = 1, inner: int | None = None, dropout: float = 0.1
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is four times the width, as in RecTools.
            dropout: rate behind the input and in every block.

        Raises:
            UserError: a value is out of its range.
        """
        inner = 4 * sizes.width if inner is None else inner
        super().__init__(sizes, [LigrBlock(sizes.width, heads, inner, dropout) for _ in range(blocks)], dropout)
        self.norm = nn.LayerNorm(sizes.width)

    def close(self, h: Tensor) -> Tensor:
        return self.norm(h)
