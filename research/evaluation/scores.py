"""Scores of some users for the catalogue, such that equal items have equal scores.

Dot products are taken in float64 and rounded to a grid of 2^-24 of ``|interest| * max |item|``, the resolution of
float32 at that size. The error of a float64 product is some 2^-50 of it, whatever the order of its sum, so the same
vectors give the same scores whatever the batch, the chunk, the number of threads or of processes, and equal items
stay equal.

Shape legend: B users, D width, I items, C items of a chunk.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused

BROKEN = "The model's vectors hold NaN or infinity: nothing can be ranked. Try a lower optimizer.lr."


class DotScores:
    """An interest times item vectors, in units of the grid."""

    def __init__(self, interest_BD: Tensor, candidates_ID: Tensor) -> None:
        """Hold the vectors.

        Raises:
            UserError: one of them is not finite. Comparisons with NaN are false, so a broken model would rank every
                target first.
        """
        if not (torch.isfinite(interest_BD).all() and torch.isfinite(candidates_ID).all()):
            raise UserError(BROKEN)
        self.candidates_ID = candidates_ID.double()
        interest = interest_BD.double()
        longest = self.candidates_ID.norm(dim=1).max()
        size_B1 = interest.norm(dim=1, keepdim=True) * longest
        size_B1[size_B1 == 0] = 1.0  # then every score is 0
        # In units of the grid; up to 2^24 whole numbers are exact in float32.
        self.interest_BD = interest / size_B1 * 2**24
        self.n_items = len(candidates_ID)

    def of(self, item_B: Tensor) -> Tensor:
        return (self.interest_BD * self.candidates_ID[item_B]).sum(1).round().float()

    def chunk(self, start: int, stop: int) -> Tensor:
        return (self.interest_BD @ self.candidates_ID[start:stop].t()).round_().float()


class CandidateScores:
    """Scores that are no dot products, in float64 and rounded to float32: every candidate in its own way."""

    def __init__(self, fused: Fused, candidates_ID: Tensor) -> None:
        """Hold the interests and the vectors of the catalogue."""
        self.fused, self.candidates_ID, self.n_items = fused.double(), candidates_ID.double(), len(candidates_ID)

    def of(self, item_B: Tensor) -> Tensor:
        return self._finite(self.fused.score_own(self.candidates_ID[item_B][:, None])).squeeze(1)

    def chunk(self, start: int, stop: int) -> Tensor:
        return self._finite(self.fused.score(self.candidates_ID[start:stop]))

    def _finite(self, score: Tensor) -> Tensor:
        if not torch.isfinite(score).all():
            raise UserError(BROKEN)
        return score.float()


class DenseScores:
    """Scores that are all at hand."""

    def __init__(self, score_BI: Tensor) -> None:
        """Hold ``(B, I)`` float32 scores."""
        self.score_BI, self.n_items = score_BI, score_BI.shape[1]

    def of(self, item_B: Tensor) -> Tensor:
        return self.score_BI.gather(1, item_B[:, None]).squeeze(1)

    def chunk(self, start: int, stop: int) -> Tensor:
        return self.score_BI[:, start:stop].clone()
