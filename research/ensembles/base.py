"""How the scores of several trained runs become one score.

Runs score in units of their own, so a rule brings them to a common one first: ``standardised`` has mean 0 and deviation
1 over the catalogue of each query, which keeps every run's order.

Shape legend: R runs, B queries, I items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from torch import Tensor


class Rule(ABC):
    """Constructed as ``Rule(n_runs, weights)``."""

    learns: ClassVar[bool] = False
    """Whether it must see scores and right items of the validation queries first."""

    @abstractmethod
    def combine(self, score_RBI: Tensor) -> Tensor:
        """``(B, I)`` of ``(R, B, I)`` float64 scores."""

    def learn(self, seen: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Look at pairs of ``score_RBI`` and ``target_B`` (catalogue rows); the default learns nothing."""
        del seen

    @property
    def weights(self) -> list[float] | None:
        """Share of each run, summing to 1; ``None`` where the rule has none."""
        return None


def standardised(score: Tensor) -> Tensor:
    """``(..., I)`` scores of each query with mean 0 and deviation 1; equal scores everywhere become zeros."""
    centred = score - score.mean(dim=-1, keepdim=True)
    deviation = centred.square().mean(dim=-1, keepdim=True).sqrt()
    return centred / deviation.where(deviation > 0, deviation.new_ones(()))


def shares(n_runs: int, weights: Sequence[float] | None) -> list[float]:
    """Weights that sum to 1; equal ones where none are given."""
    given = [1.0] * n_runs if weights is None else list(weights)
    return [weight / sum(given) for weight in given]
