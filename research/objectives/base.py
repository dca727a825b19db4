"""An objective says what is hidden from the model and which positions are supervised.

Shape legend: B rows, T positions, N supervised positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from research.data.batch import Batch, Positions


@dataclass(frozen=True)
class Supervised:
    """A training batch: what the model reads, where it is asked, and the right item there."""

    batch: Batch
    at: Positions
    target_N: Tensor


class Objective(ABC):
    """Constructed as ``Objective(mask_token, *, ...)``; keyword arguments are its configuration."""

    causal: ClassVar[bool]
    """Whether the target stands right behind the asked position, so that encoders must not look ahead."""
    span: ClassVar[int]
    """Items of a history that training reads beyond the model's longest row: 1 when inputs are shifted."""
    query_room: ClassVar[int]
    """Positions of a row that a query needs for itself, such as an appended mask."""

    @abstractmethod
    def supervise(self, batch: Batch, random: np.random.Generator) -> Supervised:
        """Make a training example of every row.

        Args:
            batch: whole training spans.
            random: the only source of chance, derived from seed, epoch and batch.
        """

    @abstractmethod
    def query(self, batch: Batch, now_B: Tensor) -> tuple[Batch, Positions]:
        """Ask for the next item of every row.

        Args:
            batch: what is known.
            now_B: seconds of the moment for which is asked.

        Returns:
            What the model reads, and one position a row.
        """

    @abstractmethod
    def expected(self, length_S: np.ndarray) -> np.ndarray:
        """Expected supervised positions of training spans with these lengths."""
