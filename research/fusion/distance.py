"""Near is good: an item is scored by its distances from both states (AttRec, Zhang et al., arXiv 1808.06414).

``score(x) = -(w |long - x|^2 + (1 - w) |short - x|^2)`` with a fixed ``w``. Around the centre ``c = w long + (1 - w)
short`` that is ``-|x - c|^2 - w (1 - w) |long - short|^2``: a dot product with ``2 c``, a bias ``-|x|^2`` an item, and
a number a position. The number changes no ranking and no softmax; losses that look at one score alone do see it, so
it is kept. Departure: one vector an item for both distances, where AttRec has a table for each.

States lie where encoders read items, so an item is at sqrt(D) times its vector in the table.

Shape legend: N asked positions, C candidates, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


@dataclass(frozen=True)
class FromCentre(Fused):
    """``score(x) = -|sqrt(D) x - interest|^2 - apart``.

    Attributes:
        interest_ND: the centre.
        weight_N2: ``w`` and ``1 - w``, the same everywhere.
        apart_N: ``w (1 - w) |long - short|^2``.
    """

    apart_N: Tensor

    dot: ClassVar[bool] = False

    def score(self, candidates_CD: Tensor) -> Tensor:
        return self._score(self.interest_ND @ candidates_CD.t(), candidates_CD)

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        return self._score((candidates_NCD @ self.interest_ND[:, :, None]).squeeze(2), candidates_NCD)

    def _score(self, product_NC: Tensor, candidates: Tensor) -> Tensor:
        width = self.interest_ND.shape[1]
        of_position_N = self.interest_ND.square().sum(1) + self.apart_N
        return 2 * width**0.5 * product_NC - width * candidates.square().sum(-1) - of_position_N[:, None]

    def rows(self, chosen: slice) -> FromCentre:
        weight_N2 = None if self.weight_N2 is None else self.weight_N2[chosen]
        return FromCentre(self.interest_ND[chosen], weight_N2, self.apart_N[chosen])


class Distance(StateFusion):
    """Two squared distances with fixed weights."""

    def __init__(self, sizes: Sizes, *, long_share: float = 0.5) -> None:
        """Set the weight; nothing is learned.

        Args:
            sizes: every part's first argument.
            long_share: ``w``, in [0, 1].

        Raises:
            UserError: the weight is out of its range.
        """
        super().__init__()
        if not 0 <= long_share <= 1:
            raise UserError(f"fusion.long_share={long_share}: the weight of the long distance lies in [0, 1].")
        self.long_share = long_share

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        w = self.long_share
        apart_N = w * (1 - w) * (long_ND - short_ND).square().sum(1)
        weight_N2 = torch.tensor([w, 1 - w], dtype=long_ND.dtype, device=long_ND.device).expand(len(long_ND), 2)
        return FromCentre(w * long_ND + (1 - w) * short_ND, weight_N2, apart_N)
