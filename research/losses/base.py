"""A loss trains interests against the catalogue.

Shape legend: N supervised positions, D width, I items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Loss(nn.Module, ABC):
    """Constructed as ``Loss(*, ...)``; keyword arguments are its configuration."""

    @abstractmethod
    def forward(self, interest_ND: Tensor, target_N: Tensor, candidates_ID: Tensor) -> Tensor:
        """Sum of the loss over positions, a scalar; who calls divides by how many there are on all devices.

        Args:
            interest_ND: fused interests.
            target_N: row of the right item in ``candidates_ID``, from 0.
            candidates_ID: the vectors of the catalogue.
        """
