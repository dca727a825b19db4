"""What attention encoders share: learned positions, a stack of blocks, a closing layer.

Where few states are asked for, the last block is computed for these alone: its keys and values need every position,
everything behind them only the asked ones. A test user asks for one state, a hidden item for a fifth of them.

Shape legend: B rows, T positions, D width, N asked positions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.layer import Layer
from research.encoders.rows import Rows, take
from research.errors import UserError
from research.sizes import Sizes


class Stack(Encoder):
    """``close(block(...block(dropout(x + position))))``."""

    def __init__(self, sizes: Sizes, blocks: Sequence[Layer], dropout: float) -> None:
        """Make what lies before the blocks.

        Raises:
            UserError: there is no block, or the rate is out of its range.
        """
        super().__init__()
        if not blocks:
            raise UserError("blocks=0: an attention encoder has at least 1.")
        self.width = sizes.width
        self.positions = nn.Embedding(sizes.max_length, sizes.width)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(blocks)

    @abstractmethod
    def close(self, h: Tensor) -> Tensor:
        """What follows the blocks, for each state alone: ``(..., D) -> (..., D)``."""

    def encode(self, rows: Rows) -> Tensor:
        visible_B11T = self._visible(rows)
        h_BTD = self._embed(rows)
        for block in self.blocks:
            h_BTD = block(h_BTD, visible_B11T)
        return self.close(h_BTD)

    def states(self, rows: Rows, at: Positions) -> Tensor:
        b, t = rows.shape
        flat_N = at.row_N * t + at.position_N
        if 2 * len(at) > b * t:  # nearly all: picking them out would cost more than it saves
            return take(self.encode(rows), flat_N)
        visible_B11T = self._visible(rows)
        h_BTD = self._embed(rows)
        for block in self.blocks[:-1]:
            h_BTD = block(h_BTD, visible_B11T)
        last = self.blocks[-1]
        assert isinstance(last, Layer)
        return self.close(last.asked(h_BTD, at, visible_B11T))

    def _embed(self, rows: Rows) -> Tensor:
        return self.dropout(rows.x_BTD * self.width**0.5 + self.positions.weight[: rows.shape[1]])

    def _visible(self, rows: Rows) -> Tensor | None:
        # Right padding lies behind every real position: causality hides it.
        return None if self.causal else rows.real_BT[:, None, None, :]
