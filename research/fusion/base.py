"""A fusion makes one interest of a long-term and a short-term state.

It sees tensors only. What it returns has names, and the weight it gave each branch is part of the result, so that a
study can ask when a user is led by the short view.

Shape legend: N asked positions, D width, 2 branches in the order long, short.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn


@dataclass(frozen=True)
class Fused:
    """One interest a position.

    Attributes:
        interest_ND: scored against item vectors by a dot product.
        weight_N2: share of the long and of the short branch, non-negative, summing to 1; ``None`` where the fusion
            has no such notion.
    """

    interest_ND: Tensor
    weight_N2: Tensor | None


class Fusion(nn.Module, ABC):
    """Constructed as ``Fusion(width, *, ...)``; keyword arguments are its configuration."""

    branches: ClassVar[tuple[str, ...]] = ("long", "short")
    """Branches that are read. One that is not is neither built nor computed; zeros stand in its place."""

    @abstractmethod
    def forward(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        """Fuse the two states of every position."""
