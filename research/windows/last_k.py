"""The last k interactions, the current one included."""

from __future__ import annotations

from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.windows.base import Window


class LastK(Window):
    """``start = max(0, position - k + 1)``."""

    def __init__(self, *, k: int = 10) -> None:
        """Set the window's size.

        Args:
            k: how many interactions count as short-term, at least 1.

        Raises:
            UserError: ``k`` is below 1.
        """
        if k < 1:
            raise UserError(f"window.k={k}: a short-term window holds at least 1 interaction. Try window.k=5.")
        self.k = k

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        return (at.position_N - self.k + 1).clamp(min=0)
