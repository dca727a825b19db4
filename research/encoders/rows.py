"""What an encoder reads: embedded right-padded rows, and what is known of each interaction beside its item.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Rows:
    """Whole histories, or windows that were cut out of them.

    Attributes:
        x_BTD: embedded items; what stands behind a row's length is arbitrary.
        length_B: real positions of each row, at least 1.
        times_BT: seconds since 1970 UTC, not falling along a row; ``None`` where nobody needs them.
        users_B: user of each row, likewise.
        initial_BD: a state to begin from, for encoders that have one; ``None`` is their own start.
        items_BT: the items by number, for encoders that read what is said of them; 0 behind a row's length.
        now_BT: seconds of the moment for which is asked at each position, not before its own time; ``None`` likewise.
    """

    x_BTD: Tensor
    length_B: Tensor
    times_BT: Tensor | None = None
    users_B: Tensor | None = None
    initial_BD: Tensor | None = None
    items_BT: Tensor | None = None
    now_BT: Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(B, T)``."""
        return self.x_BTD.shape[0], self.x_BTD.shape[1]

    @property
    def real_BT(self) -> Tensor:
        """Which positions are real."""
        return torch.arange(self.shape[1], device=self.length_B.device) < self.length_B[:, None]

    def cut(self, element_CL: Tensor, length_C: Tensor) -> Rows:
        """Rows made of elements of these rows, given by flat index ``row * T + position``."""
        row_C = element_CL[:, 0] // self.shape[1]
        return replace(
            self,
            x_BTD=take(self.x_BTD, element_CL),
            length_B=length_C,
            times_BT=None if self.times_BT is None else self.times_BT.flatten()[element_CL],
            users_B=None if self.users_B is None else self.users_B[row_C],
            initial_BD=None,
            items_BT=None if self.items_BT is None else self.items_BT.flatten()[element_CL],
            now_BT=None if self.now_BT is None else self.now_BT.flatten()[element_CL],
        )


def take(table: Tensor, index: Tensor) -> Tensor:
    """Rows of ``table`` (flattened to its last axis) by flat index.

    An embedding look-up, because its backward on a CPU adds whole rows in parallel, where that of indexing or
    ``index_select`` is several times slower.
    """
    return F.embedding(index, table.reshape(-1, table.shape[-1]))
