"""A mean that forgets by the clock: an item's weight halves with every ``days`` days (see ``decaying``).

Shape legend: B rows, T positions, Q reading positions.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.encoders.decaying import Decaying
from research.encoders.reader import pick
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes

DAY = 86_400
"""Seconds."""


class TimeDecay(Decaying):
    """Age is the time between an item and the latest one that is seen."""

    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, days: float = 7.0, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            days: days after which an item counts half, to start from.
            dropout: rate on the items.

        Raises:
            UserError: a value is out of its range.
        """
        if days <= 0:
            raise UserError(f"days={days}: a number of days above 0, for example 7.")
        super().__init__(sizes, days, dropout)

    def age(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        assert rows.times_BT is not None
        # Seconds are subtracted as integers: a float32 knows today only to about two minutes.
        second_BQT = pick(rows.times_BT, position_B)[:, :, None] - rows.times_BT[:, None]
        return second_BQT.to(rows.x_BTD.dtype) / DAY
