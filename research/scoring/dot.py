"""Dot products over a temperature, which changes what a loss sees and not how items rank.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from torch import Tensor

from research.errors import UserError
from research.scoring.base import Scoring


class Dot(Scoring):
    """``s_i = <interest, item_i> / temperature``."""

    def __init__(self, *, temperature: float = 1.0) -> None:
        """Set the temperature; 1 is the same as no scoring at all.

        Raises:
            UserError: it is not above 0.
        """
        if temperature <= 0:
            raise UserError(f"scoring.temperature={temperature}: above 0, for example 0.1.")
        self.temperature = temperature

    def interests(self, interest_ND: Tensor) -> Tensor:
        return interest_ND / self.temperature

    def candidates(self, vector: Tensor) -> Tensor:
        return vector
