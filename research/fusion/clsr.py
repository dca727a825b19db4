"""The gate of CLSR: as SLi-Rec's, and it also reads the history with a recurrent network (Zheng et al., WWW 2022).

``a = sigmoid(MLP([e; x; long; short; log time]))`` with ``e`` the last state of a GRU over the history, which
belongs to the gate. Departures: those of ``candidate_gate``. The contrastive term of CLSR is an auxiliary loss, no part
of the fusion.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from research.encoders.gru import GRU
from research.fusion.base import Fused, Fusion
from research.fusion.candidate_gate import CandidateGate
from research.fusion.slirec import log_days
from research.sizes import Sizes
from research.views import Views


class CLSR(Fusion):
    """Which view explains this item, given where the user's interest has come to?"""

    reads_order: ClassVar[bool] = True
    weighs: ClassVar[bool] = True

    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, hidden: int = 32, dropout: float = 0.1) -> None:
        """Make the gate.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
            hidden: neurons of the gate, at least 1.
            dropout: rate of the gate's own recurrent network.
        """
        super().__init__()
        self.n_items = sizes.n_items
        self.evolution = GRU(sizes, dropout=dropout)
        self.gate = CandidateGate(3 * sizes.width + 1, sizes.width, hidden)

    def forward(self, views: Views) -> Fused:
        long_ND, short_ND = views.long_ND, views.short_ND
        evolved_ND = self.evolution(views.rows, views.at)
        time_N1 = log_days(views.gap_N(self.n_items), long_ND)
        return self.gate(long_ND, short_ND, [evolved_ND, long_ND, short_ND, time_N1])
