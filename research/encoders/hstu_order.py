"""HSTU for histories that have an order and no times: the bias knows distances in positions only (see ``hstu``)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.stack import Stack
from research.encoders.transduction import Transduction
from research.sizes import Sizes


class HSTUOrder(Stack):
    """Bias by distance."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, blocks: int = 2, heads: int = 1, dropout: float = 0.1) -> None:
        """Make the encoder; arguments and errors as for ``HSTU``."""
        made = [Transduction(sizes.width, heads, dropout, sizes.max_length, timed=False) for _ in range(blocks)]
        super().__init__(sizes, made, dropout)
        self.norm = nn.LayerNorm(sizes.width)

    def close(self, h: Tensor) -> Tensor:
        return self.norm(h)
