"""FISSA's gate as its authors' code has it: linear in the candidate, a norm behind it (Lin et al., RecSys 2020).

::

    g = sigmoid(w . [long; last item; x] + b)
    score(x) = norm(g short + (1 - g) long) . x

``fissa`` puts a layer of neurons into the gate and no norm behind it. Here the logit falls into a number a position and
a number an item, and the norm needs no vector a candidate either: mean and variance of a mixture of two vectors follow
from those of the two, so a score costs a few numbers instead of D. Departure: one sigmoid, as in the paper; the code
takes the sigmoid of a sigmoid, which keeps g between 0.5 and 0.73.

Shape legend: N asked positions, C candidates, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.fusion.base import Fused, Fusion
from research.sizes import Sizes
from research.views import Views

EPS = 1e-5
"""Added to a variance, as in torch's norm."""


@dataclass(frozen=True)
class NormedMixture(Fused):
    """Two states, mixed anew for every item and then normed.

    Attributes:
        interest_ND: the normed mean of the states, where one vector is wanted.
        weight_N2: ``None``: the share is another one for every item; ``share`` and ``share_own`` tell it.
        long_ND, short_ND: the states less their means.
        logit_N: what the gate knows before the candidate.
        read_1D: what it reads of the candidate.
        scale_D, shift_D: of the norm.
    """

    long_ND: Tensor
    short_ND: Tensor
    logit_N: Tensor
    read_1D: Tensor
    scale_D: Tensor
    shift_D: Tensor

    dot: ClassVar[bool] = False

    def share(self, candidates_CD: Tensor) -> Tensor:
        """``(N, C)`` weight of the long branch for the same candidates everywhere."""
        return self._share(F.linear(candidates_CD, self.read_1D).t())

    def share_own(self, candidates_NCD: Tensor) -> Tensor:
        """``(N, C)`` weight of the long branch for candidates of each position's own."""
        return self._share(F.linear(candidates_NCD, self.read_1D).squeeze(2))

    def _share(self, read: Tensor) -> Tensor:
        return (-self.logit_N[:, None] - read).sigmoid()  # 1 - g

    def score(self, candidates_CD: Tensor) -> Tensor:
        scaled_DC = (candidates_CD * self.scale_D).t()
        by_long_NC, by_short_NC = self.long_ND @ scaled_DC, self.short_ND @ scaled_DC
        return self._score(self.share(candidates_CD), by_long_NC, by_short_NC, candidates_CD @ self.shift_D)

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        scaled_NCD = candidates_NCD * self.scale_D
        by_long_NC, by_short_NC = ((scaled_NCD @ h_ND[:, :, None]).squeeze(2) for h_ND in (self.long_ND, self.short_ND))
        return self._score(self.share_own(candidates_NCD), by_long_NC, by_short_NC, candidates_NCD @ self.shift_D)

    def _score(self, share_NC: Tensor, by_long_NC: Tensor, by_short_NC: Tensor, shifted: Tensor) -> Tensor:
        long_N1 = self.long_ND.square().mean(1, keepdim=True)
        short_N1 = self.short_ND.square().mean(1, keepdim=True)
        both_N1 = (self.long_ND * self.short_ND).mean(1, keepdim=True)
        rest_NC = 1 - share_NC
        variance_NC = share_NC**2 * long_N1 + 2 * share_NC * rest_NC * both_N1 + rest_NC**2 * short_N1
        # Rounding may leave a variance of nearly nothing just below 0.
        mixed_NC = (share_NC * by_long_NC + rest_NC * by_short_NC) * (variance_NC.clamp(min=0) + EPS).rsqrt()
        return mixed_NC + shifted

    def rows(self, chosen: slice) -> NormedMixture:
        of_positions = (self.long_ND[chosen], self.short_ND[chosen], self.logit_N[chosen])
        return NormedMixture(self.interest_ND[chosen], None, *of_positions, self.read_1D, self.scale_D, self.shift_D)


class ItemSimilarity(Fusion):
    """Is this item like what the user looks at now, or like what the user always liked? See ``NormedMixture``."""

    reads_order: ClassVar[bool] = True
    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Make the gate and the norm.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
        """
        super().__init__()
        self.width, self.n_items = sizes.width, sizes.n_items
        self.gate, self.read = nn.Linear(2 * sizes.width, 1), nn.Linear(sizes.width, 1, bias=False)
        self.norm = nn.LayerNorm(sizes.width, eps=EPS)

    def forward(self, views: Views) -> Fused:
        long_ND, short_ND, scale = views.long_ND, views.short_ND, self.width**0.5
        logit_N = self.gate(torch.cat([long_ND, views.last_ND(self.n_items) * scale], dim=1)).squeeze(1)
        centred = (long_ND - long_ND.mean(1, keepdim=True), short_ND - short_ND.mean(1, keepdim=True))
        # Items are read at sqrt(D) times the table's scale, the candidate as well as the last one.
        of_items = (self.read.weight * scale, self.norm.weight, self.norm.bias)
        return NormedMixture(self.norm((long_ND + short_ND) / 2), None, *centred, logit_N, *of_items)
