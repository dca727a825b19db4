"""An item is the mean of the learned vectors of its categories (several hot, as FDSA and SDM read features).

Items of equal categories have equal vectors, so they tie in every ranking; beside ids they do not.

Shape legend: I items, U rows, L categories of an item, V categories, D width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.items.content import Content
from research.items.encoded import Missing
from research.items.part import Part
from research.items.said import say_missing
from research.sizes import Sizes

STATED = 20
"""Categories where no data are at hand and only sizes are counted."""


class Categories(Part):
    """``mean_l table[category_l]``."""

    code_IL: Tensor

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        features: list[str] | None = None,
        missing: Missing = "zero",
        std: float = 0.02,
    ) -> None:
        """Make the table.

        Args:
            sizes: of the run.
            content: of the items.
            features: columns of item categories, such as ``[genre]``; ``None``: all that the dataset has.
            missing: the vector of an item without any: ``zero``, or one that is ``learned``.
            std: standard deviation of the initial values.

        Raises:
            UserError: the dataset has no such categories.
        """
        super().__init__(sizes, std=std)
        chosen = content.chosen(features) if content is not None else []
        # Codes of one feature behind those of the other; 0 stays what it is, none.
        before = np.cumsum([0, *(len(feature.names) for feature in chosen)])
        shifted = [
            np.where(codes > 0, codes + start, 0)
            for codes, start in zip((f.rectangle() for f in chosen), before[:-1], strict=True)
        ]
        code_IL = np.concatenate(shifted, axis=1) if shifted else np.ones((sizes.n_items, 1), dtype=np.int64)
        self.register_buffer("code_IL", torch.from_numpy(code_IL), persistent=False)
        self.table = nn.Embedding(int(before[-1] if chosen else STATED) + 1, sizes.width)
        nn.init.normal_(self.table.weight, std=std)
        self.missing_D = nn.Parameter(torch.randn(sizes.width) * std) if missing == "learned" else None
        say_missing("categories", np.greater(code_IL.max(axis=1), 0), content)

    def rows(self, row_U: Tensor) -> Tensor:
        code_UL = self.code_IL[row_U]
        # A bag leaves its padding out of the mean; one of nothing else is zeros.
        mean_UD = F.embedding_bag(code_UL, self.table.weight, mode="mean", padding_idx=0)
        if self.missing_D is None:
            return mean_UD
        return torch.where((code_UL > 0).any(dim=1, keepdim=True), mean_UD, self.missing_D.to(mean_UD))

    def known(self, row_U: Tensor) -> Tensor | None:
        return (self.code_IL[row_U] > 0).any(dim=1) if self.missing_D is None else None
