"""The item-similarity gate of FISSA: the candidate beside the last item and the global state (Lin et al., RecSys 2020).

``g = sigmoid(MLP([last item; long; x]))``, ``interest = g * short + (1 - g) * long``: an item like the last one may be
left to the local view. The formula is second-hand and was not compared with the paper. Departures: those of
``candidate_gate``, whose share is that of the long branch, ``1 - g``.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from research.fusion.base import Fused, Fusion
from research.fusion.candidate_gate import CandidateGate
from research.sizes import Sizes
from research.views import Views


class FISSA(Fusion):
    """Is this item like what the user looks at now? See ``GatedByCandidate`` for the weights."""

    reads_order: ClassVar[bool] = True
    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, hidden: int = 32) -> None:
        """Make the gate.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
            hidden: neurons of the gate, at least 1.
        """
        super().__init__()
        self.n_items = sizes.n_items
        self.gate = CandidateGate(2 * sizes.width, sizes.width, hidden)

    def forward(self, views: Views) -> Fused:
        long_ND = views.long_ND
        return self.gate(long_ND, views.short_ND, [views.last_ND(self.n_items), long_ND])
