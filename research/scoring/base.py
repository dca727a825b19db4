"""How an interest meets an item, where it is not the plain dot product.

A scoring wraps the two ends that meet: the fusion, whose interests it prepares, and the item table, whose candidates it
prepares. What lies between sees dot products as before, so every loss, kernel and ranking works with every scoring.

Shape legend: N asked positions, I items, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.items.base import ItemTable
from research.views import Views


class Scoring(ABC):
    """Constructed as ``Scoring(*, ...)``; keyword arguments are its configuration."""

    @abstractmethod
    def interests(self, interest_ND: Tensor) -> Tensor:
        """Interests as they are scored."""

    @abstractmethod
    def candidates(self, vector: Tensor) -> Tensor:
        """Item vectors ``(..., D)`` as they are scored."""


class ScoredFusion(Fusion):
    """A fusion whose interests are prepared for scoring."""

    def __init__(self, fusion: Fusion, scoring: Scoring) -> None:
        """Wrap ``fusion``."""
        super().__init__()
        self.fusion, self.scoring = fusion, scoring

    def forward(self, views: Views) -> Fused:
        fused = self.fusion(views)
        if not fused.dot:
            raise UserError(
                "This fusion scores candidate by candidate, and a scoring prepares vectors for dot products. "
                "Use scoring=null, or another fusion."
            )
        return replace(fused, interest_ND=self.scoring.interests(fused.interest_ND))


class ScoredItems(ItemTable):
    """A table that is read as it is and scored with prepared vectors."""

    def __init__(self, items: ItemTable, scoring: Scoring) -> None:
        """Wrap ``items``."""
        super().__init__()
        self.items, self.scoring = items, scoring
        self.n_items, self.sparse = items.n_items, items.sparse

    def forward(self, items: Tensor) -> Tensor:
        return self.items(items)

    def candidates(self) -> Tensor:
        return self.scoring.candidates(self.items.candidates())

    def candidates_of(self, row: Tensor) -> Tensor:
        return self.scoring.candidates(self.items.candidates_of(row))
