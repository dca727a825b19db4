"""The whole model on one page: items -> window -> two encoders -> fusion -> one interest.

    items_BT --table--> x_BTD --long encoder over everything----> long_ND  --+
                          |                                                  fusion --> interest_ND . items
                          +-----short encoder over the window---> short_ND --+

It is plain PyTorch: the same model runs in a notebook without Lightning.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from torch import nn

from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.fusion.base import Fused, Fusion
from research.items.base import ItemTable
from research.views import Views
from research.windows.base import Window
from research.windows.recent_mask import RecentMask


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
        overlap: bool = True,
        recent_mask: RecentMask | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            items: vectors of items, looked up once for both branches.
            fusion: how the two states become one; it names the branches that it reads.
            long: encoder of the whole history, ``None`` when the fusion does not read it.
            short: encoder of the window, likewise.
            window: what counts as short-term, needed with ``short``.
            overlap: whether the long view contains the window too.
            recent_mask: hides the latest interactions from the short view while training.
        """
        super().__init__()
        self.items, self.fusion, self.long, self.short = items, fusion, long, short
        self.window, self.overlap, self.recent_mask = window, overlap, recent_mask

    def forward(self, batch: Batch, at: Positions) -> Fused:
        """One interest for every asked position."""
        return self.fusion(self.views(batch, at))

    def views(self, batch: Batch, at: Positions) -> Views:
        """What the fusion sees."""
        items_BT = batch.items_BT
        known = {"times_BT": batch.times_BT, "now_BT": batch.now_BT, "users_B": batch.users_B, "items_BT": items_BT}
        rows = Rows(self.items(items_BT), batch.length_B, **known)
        start_N = None if self.window is None else self.window(batch, at)
        end_N = self.recent_mask(batch, at) if self.recent_mask is not None and self.training else None
        branches = {"long": self.long, "short": self.short}
        return Views(rows, batch, at, **branches, start_N=start_N, end_N=end_N, overlap=self.overlap)
