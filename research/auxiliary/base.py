"""An auxiliary term is added to the loss while training and plays no part in ranking.

It reads the same views as the fusion, already computed, so a branch costs nothing twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.views import Views


class Auxiliary(nn.Module, ABC):
    """Constructed as ``Auxiliary(sizes, *, weight, ...)``; keyword arguments are its configuration."""

    branches: tuple[str, ...] = ("long", "short")
    """Branches that are read; the fusion must read them too."""
    sampled: ClassVar[bool] = True
    """Whether it asks for drawn or given items only; one that asks for all candidates says no."""

    @abstractmethod
    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        """Weighted sum of the term over the supervised positions, a scalar.

        Args:
            views: what the model saw and made of it.
            fused: its interests.
            supervised: the training batch, with the right items.
            items: vectors of the catalogue.
        """
