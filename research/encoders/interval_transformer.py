"""Causal self-attention over items, places and personal time intervals, as in TiSASRec (see ``interval_block``).

The tables of places and of intervals are shared by all blocks, as in the paper (Li, Wang, McAuley, WSDM 2020).

Departures: those of ``interval_block``; rows are right-padded, so place 0 is the oldest item of the view; no penalty on
the length of embeddings.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from research.encoders.dropout import Dropout
from research.encoders.interval_block import IntervalBlock, Relations, intervals
from research.encoders.reader import Reader, pick, seen
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class IntervalTransformer(Reader):
    """``blocks`` blocks over shared tables, a final norm; the last block computes the readers' states only."""

    needs_times: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        blocks: int = 2,
        heads: int = 1,
        inner: int | None = None,
        longest: int = 256,
        dropout: float = 0.1,
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            blocks: number of layers.
            heads: attention heads, a divisor of the width.
            inner: width of the feed-forward layers; ``None`` is the model's width.
            longest: all intervals of as many units or more are one. Memory grows by B x H x T of it in each block.
            dropout: rate on the items and in every block.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if blocks < 1 or longest < 1:
            raise UserError(f"blocks={blocks}, longest={longest}: an interval transformer has at least 1 of each.")
        self.width = width = sizes.width
        self.longest = longest
        inner = width if inner is None else inner
        self.place_key, self.place_value = (_table(sizes.max_length, width) for _ in range(2))
        self.interval_key, self.interval_value = (_table(longest + 1, width) for _ in range(2))
        self.blocks = nn.ModuleList([IntervalBlock(width, heads, inner, dropout) for _ in range(blocks)])
        self.norm, self.dropout = nn.LayerNorm(width), Dropout(dropout)

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        assert rows.times_BT is not None
        t = rows.shape[1]
        interval_BTT = intervals(rows.times_BT, self.longest)
        places, vectors = (self.place_key[:t], self.place_value[:t]), (self.interval_key, self.interval_value)
        everyone = Relations(interval_BTT, seen(rows, None), places, vectors)
        readers = Relations(pick(interval_BTT, position_B), seen(rows, position_B), places, vectors)
        h_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        for block in self.blocks[:-1]:
            h_BTD = block(h_BTD, everyone, None)
        return self.norm(self.blocks[-1](h_BTD, readers, position_B))


def _table(n: int, width: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(n, width).normal_(std=0.02))
