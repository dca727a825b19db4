"""The whole model on one page: items -> window -> two encoders -> fusion -> one interest.

    items_BT --table--> x_BTD --long encoder over everything----> long_ND  --+
                          |                                                  fusion --> interest_ND . items
                          +-----short encoder over the window---> short_ND --+

It is plain PyTorch: the same model runs in a notebook without Lightning.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from torch import Tensor, nn

from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.fusion.base import Fused, Fusion
from research.items.base import ItemTable
from research.windows.base import Window


class InterestModel(nn.Module):
    """Long- and short-term interest, fused."""

    def __init__(
        self,
        items: ItemTable,
        fusion: Fusion,
        *,
        long: Encoder | None,
        short: Encoder | None,
        window: Window | None,
    ) -> None:
        """Put the parts together.

        Args:
            items: vectors of items, looked up once for both branches.
            fusion: how the two states become one; it names the branches that it reads.
            long: encoder of the whole history, ``None`` when the fusion does not read it.
            short: encoder of the window, likewise.
            window: what counts as short-term, needed with ``short``.
        """
        super().__init__()
        self.items, self.fusion, self.long, self.short, self.window = items, fusion, long, short, window

    def forward(self, batch: Batch, at: Positions) -> Fused:
        """One interest for every asked position."""
        long_ND, short_ND = self.states(batch, at)
        return self.fusion(long_ND, short_ND)

    def states(self, batch: Batch, at: Positions) -> tuple[Tensor, Tensor]:
        """The ``(N, D)`` long- and short-term states; zeros for a branch that the fusion does not read."""
        x_BTD = self.items(batch.items_BT)
        absent_ND = x_BTD.new_zeros(()).expand(len(at), x_BTD.shape[-1])
        long_ND = short_ND = absent_ND
        if self.long is not None:
            long_ND = self.long(x_BTD, batch.length_B, at)
        if self.short is not None and self.window is not None:
            short_ND = self.short(x_BTD, batch.length_B, at, self.window(batch, at))
        return long_ND, short_ND
