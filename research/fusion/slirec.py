"""The gate of SLi-Rec: candidate, both states and the time since the last interaction (Yu et al., IJCAI 2019).

``a = sigmoid(MLP([x; long; short; log time]))``, ``interest = a * long + (1 - a) * short``. The time is in
logarithms of days, at least half a day, as in the authors' code. Departures: those of ``candidate_gate``.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.fusion.base import Fused, Fusion
from research.fusion.candidate_gate import CandidateGate
from research.sizes import Sizes
from research.views import Views


def log_days(gap_N: Tensor, like_ND: Tensor) -> Tensor:
    """``(N, 1)`` log of a gap of seconds in days, not below log 0.5."""
    return (gap_N.to(like_ND.dtype) / 86_400).clamp(min=0.5).log()[:, None]


class SLiRec(Fusion):
    """Which view explains this item, given how long the user was away? See ``GatedByCandidate`` for the weights."""

    weighs: ClassVar[bool] = True

    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, hidden: int = 32) -> None:
        """Make the gate.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
            hidden: neurons of the gate, at least 1.
        """
        super().__init__()
        self.n_items = sizes.n_items
        self.gate = CandidateGate(2 * sizes.width + 1, sizes.width, hidden)

    def forward(self, views: Views) -> Fused:
        long_ND, short_ND = views.long_ND, views.short_ND
        return self.gate(long_ND, short_ND, [long_ND, short_ND, log_days(views.gap_N(self.n_items), long_ND)])
