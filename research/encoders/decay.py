"""A mean that forgets by count: an item's weight halves with every ``half_life`` interactions (see ``decaying``).

Shape legend: B rows, T positions, Q reading positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.encoders.decaying import Decaying
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class Decay(Decaying):
    """Age is the number of interactions since."""

    def __init__(self, sizes: Sizes, *, half_life: float = 5.0, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            half_life: interactions after which an item counts half, to start from.
            dropout: rate on the items.

        Raises:
            UserError: a value is out of its range.
        """
        if half_life <= 0:
            raise UserError(f"half_life={half_life}: a number of interactions above 0, for example 5.")
        super().__init__(sizes, half_life, dropout)

    def age(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        step_T = torch.arange(rows.shape[1], device=rows.x_BTD.device, dtype=rows.x_BTD.dtype)
        return (step_T[None, :, None] if position_B is None else position_B[:, None, None]) - step_T
