"""Cross-entropy over the items that training met.

A softmax over the whole catalogue compares every position with items that are kept out of training too. They are never
the right answer, so it teaches against whatever they are: a model of titles learns that *their* titles are wrong, and
ranks a cold item below chance. Here such items are in no sum. Where training met all items the two losses are the same.

Shape legend: N supervised positions, D width, I items, M items that training met.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.losses.cross_entropy import CrossEntropy


class CrossEntropyMet(CrossEntropy):
    """``-log softmax(interest . items of training)[target]``, summed over positions."""

    row_M: Tensor
    place_I: Tensor

    def __init__(
        self,
        count_I: Tensor,
        *,
        kernel: Literal["auto", "portable", "fused"] = "auto",
        precision: Literal["auto", "fp32", "bf16"] = "auto",
        chunk: int = 1024,
    ) -> None:
        """Choose the kernel; arguments as for `CrossEntropy`.

        Args:
            count_I: interactions of each item in training.
            kernel: likewise.
            precision: likewise.
            chunk: likewise.

        Raises:
            UserError: the chunk is below 1, or training met no item.
        """
        super().__init__(count_I, kernel=kernel, precision=precision, chunk=chunk)
        met_I = count_I > 0
        if not met_I.any():
            raise UserError("loss=cross_entropy_met: training met no item.")
        self.register_buffer("row_M", met_I.nonzero().squeeze(1), persistent=False)
        self.register_buffer("place_I", met_I.cumsum(0) - 1, persistent=False)

    def forward(self, fused: Fused, target_N: Tensor, items: ItemTable) -> Tensor:
        return super().forward(fused, self.place_I[target_N], _Met(items, self.row_M))


class _Met(ItemTable):
    """Some rows of a table as if they were all."""

    def __init__(self, items: ItemTable, row_M: Tensor) -> None:
        super().__init__()
        self.whole = [items]  # in a list: its parameters belong to the model
        self.row_M, self.n_items = row_M, len(row_M)

    def forward(self, items: Tensor) -> Tensor:
        return self.whole[0](items)

    def candidates(self) -> Tensor:
        return self.whole[0].candidates_of(self.row_M)

    def candidates_of(self, row: Tensor) -> Tensor:
        return self.whole[0].candidates_of(self.row_M[row])
