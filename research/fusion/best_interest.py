"""Several interests a position, each item scored by the nearest: what a multi-interest fusion returns.

Shape legend: N asked positions, C candidates, D width, K interests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from research.fusion.base import Fused


@dataclass(frozen=True)
class BestInterest(Fused):
    """``score(x) = max_k interest_k . x``.

    Attributes:
        interest_ND: the mean interest, where one vector is wanted.
        weight_N2: ``None``: which interest speaks, and so which branch, is another one for every item.
        interest_NKD: the interests.
    """

    interest_NKD: Tensor

    dot: ClassVar[bool] = False

    @staticmethod
    def of(interest_NKD: Tensor) -> BestInterest:
        """From the interests alone."""
        return BestInterest(interest_NKD.mean(1), None, interest_NKD)

    def score(self, candidates_CD: Tensor) -> Tensor:
        # max and not amax: where two interests are equal, one of them learns, as an arg max would have it.
        return (self.interest_NKD @ candidates_CD.t()).max(dim=1).values

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        return torch.einsum("nkd,ncd->nkc", self.interest_NKD, candidates_NCD).max(dim=1).values

    def rows(self, chosen: slice) -> BestInterest:
        return BestInterest.of(self.interest_NKD[chosen])
