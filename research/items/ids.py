"""An item is its own learned vector.

Shape legend: I items, D width.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from research.items.base import ItemTable
from research.sizes import Sizes


class Ids(ItemTable):
    """One embedding for reading a history and for scoring the catalogue (SASRec's shared table)."""

    def __init__(self, sizes: Sizes, *, std: float = 0.02, sparse: bool = False) -> None:
        """Make the table.

        Args:
            sizes: of the run.
            std: standard deviation of the initial values.
            sparse: gradients and steps touch looked-up rows only, for large catalogues; needs a sampled loss.
        """
        super().__init__()
        self.n_items, self.sparse = sizes.n_items, sparse
        # Row 0 is padding, row n_items + 1 the mask token; neither is ever a candidate.
        self.table = nn.Embedding(sizes.n_items + 2, sizes.width, sparse=sparse)
        nn.init.normal_(self.table.weight, std=std)

    def forward(self, items: Tensor) -> Tensor:
        return F.embedding(items, self.table.weight, sparse=self.sparse)

    def candidates(self) -> Tensor:
        return self.table.weight[1 : self.n_items + 1]

    def matrix(self) -> tuple[Tensor, int]:
        return self.table.weight, 1
