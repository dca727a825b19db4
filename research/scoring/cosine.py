"""Cosine scores over a temperature: an item's popularity cannot hide in the length of its vector.

    s_i = cos(interest, item_i) / temperature

Scores lie within 1 / temperature of zero, so the temperature decides how sure a softmax can be. HSTU trains SASRec and
itself so, at 0.05 (Zhai et al., ICML 2024, and its repository's settings).

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from research.errors import UserError
from research.scoring.base import Scoring


class Cosine(Scoring):
    """Both vectors have length 1; the interest carries the temperature."""

    def __init__(self, *, temperature: float = 0.05) -> None:
        """Set the temperature.

        Raises:
            UserError: it is not above 0.
        """
        if temperature <= 0:
            raise UserError(f"scoring.temperature={temperature}: above 0, for example 0.05.")
        self.temperature = temperature

    def interests(self, interest_ND: Tensor) -> Tensor:
        return F.normalize(interest_ND, dim=1) / self.temperature

    def candidates(self, vector: Tensor) -> Tensor:
        return F.normalize(vector, dim=-1)
