"""A window says how far back the short-term view may look.

Shape legend: B rows, T positions, N asked positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from research.data.batch import Batch, Positions


class Window(ABC):
    """Last k, one session, some days: all windows are only different starts; a window always ends where it is asked."""

    needs_times: ClassVar[bool] = False
    """Whether the dataset must have real times."""
    whole: ClassVar[bool] = False
    """Whether it always begins at the first interaction, so that nothing ever lies before it."""

    @abstractmethod
    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        """``(N,)`` the first position that each asked position may see, between 0 and the position itself."""
