"""The last minutes, hours, days or weeks: everything not older than a span of time before the current interaction."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.windows.base import Window

SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def first_within(seconds: int, batch: Batch, at: Positions) -> Tensor:
    """``(N,)`` the first interaction that is at most so many seconds older than the asked one."""
    # Behind the end the last time repeats, so rows are sorted as searchsorted needs them.
    return at.of(torch.searchsorted(batch.times_BT.contiguous(), batch.times_BT - seconds))


class Duration(Window):
    """``start`` = the first interaction at or after ``time - length``."""

    needs_times: ClassVar[bool] = True

    def __init__(self, *, length: float = 24.0, unit: Literal["minutes", "hours", "days", "weeks"] = "hours") -> None:
        """Set the span.

        Args:
            length: of the window, above 0; a fraction is allowed and whole seconds of it count.
            unit: of the length; a day has 86,400 seconds.

        Raises:
            UserError: ``length`` is not above 0.
        """
        if length <= 0:
            raise UserError(f"window.length={length}: the window must be longer than 0 {unit}. Try window.length=24.")
        self.seconds = int(length * SECONDS[unit])

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        return first_within(self.seconds, batch, at)
