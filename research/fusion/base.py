"""A fusion makes one interest of a long-term and a short-term view.

It sees tensors only. What it returns has names, and the weight it gave each branch is part of the result, so that a
study can ask when a user is led by the short view.

Shape legend: N asked positions, D width, C candidates, 2 branches in the order long, short.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Self

from torch import Tensor, nn

from research.views import Views


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

    dot: ClassVar[bool] = True
    """Whether a score is the dot product of one interest and an item. A subclass that scores every candidate in its
    own way says no, and writes ``score``, ``score_own`` and ``rows``."""

    def __len__(self) -> int:
        return len(self.interest_ND)

    def score(self, candidates_CD: Tensor) -> Tensor:
        """``(N, C)`` scores of the same candidates for every position."""
        return self.interest_ND @ candidates_CD.t()

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        """``(N, C)`` scores of candidates that differ from position to position."""
        return (candidates_NCD @ self.interest_ND[:, :, None]).squeeze(2)

    def double(self) -> Self:
        """The same in float64, in which ranks are counted."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: tensor.double() for name, tensor in tensors.items() if tensor is not None})

    def rows(self, chosen: slice) -> Fused:
        """The same for some of the positions."""
        weight_N2 = None if self.weight_N2 is None else self.weight_N2[chosen]
        return Fused(self.interest_ND[chosen], weight_N2)


class Fusion(nn.Module, ABC):
    """Constructed as ``Fusion(sizes, *, ...)``; keyword arguments are its configuration."""

    branches: ClassVar[tuple[str, ...]] = ("long", "short")
    """Branches that are read. One that is not is neither built nor computed."""
    twin: ClassVar[bool] = False
    """Whether it reads the long view through the short encoder."""
    needs_times: ClassVar[bool] = False
    """Whether it reads times, so that the dataset must have real ones."""
    needs_initial: ClassVar[bool] = False
    """Whether the short encoder must be able to begin from a given state."""
    reads_before: ClassVar[bool] = False
    """Whether it reads items before the window by itself, so that a window must leave some there."""
    reads_order: ClassVar[bool] = False
    """Whether it reads the order of the items beside the two states, so that shuffled views are not all it sees."""
    weighs: ClassVar[bool] = False
    """Whether its weights differ from position to position, so that weights which do not are worth a remark."""
    takes_interests: ClassVar[bool] = False
    """Whether it reads states of several vectors."""

    @abstractmethod
    def forward(self, views: Views) -> Fused:
        """Fuse what it asks of the views."""


class StateFusion(Fusion):
    """A fusion of two states: all that most of them are."""

    def forward(self, views: Views) -> Fused:
        return self.fuse(views.long_ND, views.short_ND)

    @abstractmethod
    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        """Fuse the two states of every position; zeros stand for a branch that is not read."""
