"""Asked positions of the same row side by side, so that they can attend to their row as a rectangle.

Gathering the row of every asked position would hold N x T x D numbers; here N queries meet B rows in one batched
product.

Shape legend: B rows, N asked positions, Q most asked positions of a row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.rows import take


class ByRow:
    """Where each asked position stands in a ``(B, Q)`` rectangle."""

    def __init__(self, at: Positions, n_rows: int) -> None:
        """Lay out.

        Args:
            at: sorted by row, as positions are.
            n_rows: B.
        """
        count_B = torch.bincount(at.row_N, minlength=n_rows)
        slot_N = torch.arange(len(at), device=at.row_N.device) - (count_B.cumsum(0) - count_B)[at.row_N]
        self.shape = n_rows, int(count_B.max())
        self.flat_N = at.row_N * self.shape[1] + slot_N

    def lay(self, value: Tensor) -> Tensor:
        """``(N, ...) -> (B, Q, ...)``, zeros where nothing is asked."""
        empty = value.new_zeros(self.shape[0] * self.shape[1], *value.shape[1:])
        return empty.index_copy(0, self.flat_N, value).view(*self.shape, *value.shape[1:])

    def pick(self, value_BQD: Tensor) -> Tensor:
        """``(B, Q, D) -> (N, D)``."""
        return take(value_BQD, self.flat_N)
