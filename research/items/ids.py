"""An item is its own learned vector.

Shape legend: I items, D width.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from research.items.base import ItemTable


class Ids(ItemTable):
    """One embedding for reading a history and for scoring the catalogue (SASRec's shared table)."""

    def __init__(self, n_items: int, width: int, *, std: float = 0.02) -> None:
        """Make the table.

        Args:
            n_items: catalogue size.
            width: size of a vector.
            std: standard deviation of the initial values.
        """
        super().__init__()
        self.n_items = n_items
        # Row 0 is padding, row n_items + 1 the mask token; neither is ever a candidate.
        self.table = nn.Embedding(n_items + 2, width)
        nn.init.normal_(self.table.weight, std=std)

    def forward(self, items: Tensor) -> Tensor:
        return F.embedding(items, self.table.weight)

    def candidates(self) -> Tensor:
        return self.table.weight[1 : self.n_items + 1]
