"""An item is its own learned vector.

Shape legend: I items, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.items.base import ItemTable
from research.items.content import Content
from research.sizes import Sizes


class Ids(ItemTable):
    """One embedding for reading a history and for scoring the catalogue (SASRec's shared table)."""

    seen_I: Tensor | None

    def __init__(
        self, sizes: Sizes, content: Content | None = None, *, std: float = 0.02, sparse: bool = False
    ) -> None:
        """Make the table.

        Args:
            sizes: of the run.
            content: of the items; only which were trained on matters, and only beside other parts.
            std: standard deviation of the initial values.
            sparse: gradients and steps touch looked-up rows only, for large catalogues; needs a sampled loss.
        """
        super().__init__()
        self.n_items, self.sparse = sizes.n_items, sparse
        self.added = 0 if content is None else content.added
        # Row 0 is padding, row n_items + 1 the mask token; neither is ever a candidate.
        self.table = nn.Embedding(sizes.n_items + 2, sizes.width, sparse=sparse)
        nn.init.normal_(self.table.weight, std=std)
        seen_I = None if content is None else torch.from_numpy(content.seen_I.copy())
        self.register_buffer("seen_I", seen_I, persistent=False)

    def forward(self, items: Tensor) -> Tensor:
        return F.embedding(items, self.table.weight, sparse=self.sparse)

    def candidates(self) -> Tensor:
        return self.table.weight[1 : self.n_items + 1]

    def matrix(self) -> tuple[Tensor, int]:
        return self.table.weight, 1

    def known(self, row_U: Tensor) -> Tensor | None:
        """An id that no training history holds says nothing: a softmax would only push it away."""
        return None if self.seen_I is None else self.seen_I[row_U]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Items that were added behind the catalogue stand in no checkpoint: zeros, before the last row."""
        name = f"{prefix}table.weight"
        if self.added and name in state_dict and len(state_dict[name]) == self.n_items - self.added + 2:
            weight_VD = state_dict[name]
            added_D = weight_VD.new_zeros(self.added, weight_VD.shape[1])
            state_dict[name] = torch.cat([weight_VD[:-1], added_D, weight_VD[-1:]])
        super()._load_from_state_dict(state_dict, prefix, *rest)
