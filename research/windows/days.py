"""The last days: everything not older than a span of time before the current interaction.

``duration`` says the same in other units.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.windows.base import Window
from research.windows.duration import first_within


class Days(Window):
    """``start`` = the first interaction at or after ``time - days``."""

    needs_times: ClassVar[bool] = True

    def __init__(self, *, days: float = 7.0) -> None:
        """Set the span.

        Args:
            days: length of the window in days of 86,400 seconds, above 0; a fraction is allowed.

        Raises:
            UserError: ``days`` is not above 0.
        """
        if days <= 0:
            raise UserError(f"window.days={days}: the window must be longer than 0 days. Try window.days=7.")
        self.days = days

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        return first_within(int(self.days * 86_400), batch, at)
