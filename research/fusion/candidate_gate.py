"""A gate that looks at the candidate: every item is scored with a mix of the branches of its own.

``score(x) = share(x) * long . x + (1 - share(x)) * short . x`` with
``share(x) = sigmoid(v . relu(A context + B x + b) + c)``.

What the context is makes the paper: see ``slirec``, ``clsr`` and ``fissa``. Departures they share: one hidden layer
where SLi-Rec and CLSR have two (80, 40) with batch norm, because the first layer splits into a part a position and a
part an item, and what is left costs N x C x H; and the mixed interest meets the item in a dot product, as in every
other arm, instead of in a predicting network. The catalogue is ranked in full, in chunks.

Shape legend: N asked positions, C candidates, D width, H neurons, X numbers of context.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.errors import UserError
from research.fusion.base import Fused

NEURONS = 2**24
"""Neurons (positions x candidates x H) that exist at one time where no gradient is wanted."""


@dataclass(frozen=True)
class GatedByCandidate(Fused):
    """Two states, and a gate to be asked for each item.

    Attributes:
        interest_ND: the mean of the states, where one vector is wanted.
        weight_N2: ``None``: the share is another one for every item; ``share`` and ``share_own`` tell it.
        long_ND, short_ND: the states.
        context_NH: the part of the neurons that is the same for all items.
        read_HD: B.
        out_1H, out_1: v and c.
    """

    long_ND: Tensor
    short_ND: Tensor
    context_NH: Tensor
    read_HD: Tensor
    out_1H: Tensor
    out_1: Tensor

    dot: ClassVar[bool] = False

    def share(self, candidates_CD: Tensor) -> Tensor:
        """``(N, C)`` weight of the long branch for the same candidates everywhere."""
        read_CH = F.linear(candidates_CD, self.read_HD)
        size = max(1, NEURONS // self.context_NH.numel())
        return torch.cat([self._share(read_cH[None]) for read_cH in read_CH.split(size)], dim=1)

    def share_own(self, candidates_NCD: Tensor) -> Tensor:
        """``(N, C)`` weight of the long branch for candidates of each position's own."""
        return self._share(F.linear(candidates_NCD, self.read_HD))

    def _share(self, read_NCH: Tensor) -> Tensor:
        return F.linear((self.context_NH[:, None] + read_NCH).relu_(), self.out_1H, self.out_1).squeeze(2).sigmoid()

    def score(self, candidates_CD: Tensor) -> Tensor:
        by_long_NC, by_short_NC = (state_ND @ candidates_CD.t() for state_ND in (self.long_ND, self.short_ND))
        share_NC = self.share(candidates_CD)
        return share_NC * by_long_NC + (1 - share_NC) * by_short_NC

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        by_long_NC, by_short_NC = (
            (candidates_NCD @ state_ND[:, :, None]).squeeze(2) for state_ND in (self.long_ND, self.short_ND)
        )
        share_NC = self.share_own(candidates_NCD)
        return share_NC * by_long_NC + (1 - share_NC) * by_short_NC

    def rows(self, chosen: slice) -> GatedByCandidate:
        of_positions = (self.long_ND[chosen], self.short_ND[chosen], self.context_NH[chosen])
        return GatedByCandidate(self.interest_ND[chosen], None, *of_positions, self.read_HD, self.out_1H, self.out_1)


class CandidateGate(nn.Module):
    """The neurons of the gate."""

    def __init__(self, context: int, width: int, hidden: int) -> None:
        """Make the layers.

        Args:
            context: X.
            width: D.
            hidden: H, at least 1.

        Raises:
            UserError: there is no neuron.
        """
        super().__init__()
        if hidden < 1:
            raise UserError(f"fusion.hidden={hidden}: the gate has at least 1 neuron. Try fusion.hidden=32.")
        self.context = nn.Linear(context, hidden)
        self.candidate = nn.Linear(width, hidden, bias=False)
        self.out = nn.Linear(hidden, 1)

    def forward(self, long_ND: Tensor, short_ND: Tensor, context: list[Tensor]) -> GatedByCandidate:
        """Gate two states by what is known before the candidate is, parts of ``(N, X)`` side by side."""
        context_NH = self.context(torch.cat(context, dim=1))
        of_gate = (self.candidate.weight, self.out.weight, self.out.bias)
        return GatedByCandidate((long_ND + short_ND) / 2, None, long_ND, short_ND, context_NH, *of_gate)
