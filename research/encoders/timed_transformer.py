"""Causal self-attention that knows how far apart interactions are in time, after TiSASRec (Li et al., WSDM 2020).

The attention of each block adds ``bias(distance) + bias(log time gap)`` to its scores (``relative.py``). Departures:
TiSASRec learns a vector for each interval, divides intervals by the user's smallest one and adds the vectors to keys
and values; here an interval has a number, is measured in seconds, ends at the moment for which is asked and is seen by
scores only, as in HSTU. Vectors for pairs would be a tensor (B, T, T, D).

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from research.encoders.block import Block
from research.encoders.relative import RelativeBias, buckets_of
from research.encoders.rows import Rows
from research.encoders.stack import Stack
from research.sizes import Sizes


class TimedBlock(Block):
    """A block that is told the bucket of each pair and makes its own bias of it."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float, max_length: int) -> None:
        """Make the layers; arguments and errors as for ``Block``. Causality is part of the bias."""
        super().__init__(width, heads, inner, dropout, causal=False)
        self.bias = RelativeBias(max_length)

    def _attend(self, x_BTD: Tensor, visible_B11T: Tensor | None) -> Tensor:
        return super()._attend(x_BTD, self.bias(x_BTD.shape[1], visible_B11T))

    def _attend_once(self, x_BTD: Tensor, position_B: Tensor, visible_B11T: Tensor | None) -> Tensor:
        b, t, _ = x_BTD.shape
        bias_BTT = self.bias(t, visible_B11T)[:, 0]
        bias_B11T = bias_BTT[torch.arange(b, device=x_BTD.device), position_B][:, None, None]
        return super()._attend_once(x_BTD, position_B, bias_B11T)


class TimedTransformer(Stack):
    """Learned positions, ``blocks`` timed blocks, a final norm."""

    causal: ClassVar[bool] = True
    needs_times: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        blocks: int = 2,
        heads: int = 1,
        inner: int | None = None,
        dropout: float = 0.1,
        from_now: bool = True,
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is the model's width, as in SASRec.
            dropout: rate behind the input and in every block.
            from_now: whether time is measured back from the moment for which is asked, not from the interaction that
                reads.

        Raises:
            UserError: a value is out of its range.
        """
        inner = sizes.width if inner is None else inner
        made = [TimedBlock(sizes.width, heads, inner, dropout, sizes.max_length) for _ in range(blocks)]
        super().__init__(sizes, made, dropout)
        self.norm = nn.LayerNorm(sizes.width)
        self.from_now = from_now

    def close(self, h: Tensor) -> Tensor:
        return self.norm(h)

    def _visible(self, rows: Rows) -> Tensor | None:
        return buckets_of(rows, from_now=self.from_now)
