"""A loss trains interests against the catalogue.

Shape legend: N supervised positions, I items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from research.fusion.base import Fused
from research.items.base import ItemTable


class Loss(nn.Module, ABC):
    """Constructed as ``Loss(count_I, *, ...)``: how often each item of the catalogue occurs in the training data,
    which some losses draw negatives by; keyword arguments are its configuration."""

    sampled: ClassVar[bool] = False
    """Whether it looks up drawn items only, so that a table with sparse gradients stays sparse."""

    @abstractmethod
    def forward(self, fused: Fused, target_N: Tensor, items: ItemTable) -> Tensor:
        """Sum of the loss over positions, a scalar; who calls divides by how many there are on all devices.

        Args:
            fused: the interests.
            target_N: row of the right item in the catalogue, from 0.
            items: vectors of the catalogue, all of them or those that are drawn.
        """
