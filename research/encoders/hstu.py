"""HSTU: layers of gated attention without softmax that know how long ago everything was (see ``transduction``).

Learned positions before the layers and a norm behind them, as in the authors' research code (which offers a norm or
a division by the length there).

Shape legend: B rows, T positions.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from research.encoders.relative import buckets_of
from research.encoders.rows import Rows
from research.encoders.stack import Stack
from research.encoders.transduction import Transduction
from research.sizes import Sizes


class HSTU(Stack):
    """Bias by distance and by time."""

    causal: ClassVar[bool] = True
    needs_times: ClassVar[bool] = True

    def __init__(
        self, sizes: Sizes, *, blocks: int = 2, heads: int = 1, dropout: float = 0.1, from_now: bool = True
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            dropout: rate behind the input and in every layer.
            from_now: whether time is measured back from the moment for which is asked, not from the interaction that
                reads.

        Raises:
            UserError: a value is out of its range.
        """
        made = [Transduction(sizes.width, heads, dropout, sizes.max_length, timed=True) for _ in range(blocks)]
        super().__init__(sizes, made, dropout)
        self.norm = nn.LayerNorm(sizes.width)
        self.from_now = from_now

    def close(self, h: Tensor) -> Tensor:
        return self.norm(h)

    def _visible(self, rows: Rows) -> Tensor | None:
        return buckets_of(rows, from_now=self.from_now)
