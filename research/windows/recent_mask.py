"""Hide the latest interactions from the short view while training, as TransAct does (Xia et al., KDD 2023).

A time is drawn between 0 and some hours, and what the user did within it before the request is not in the window. The
short view learns to do without the very last minutes, against echoing them. A test hides nothing.

It is no window: it says where one *ends* (``Views.end_N``). Only for objectives that ask for the next item: under
a mask the asked position itself is one of the latest.

Departure: one draw a history and step instead of one a request. A later request then never sees less, so
windows that begin together are still one pass of a causal encoder.

Shape legend: B rows, T positions, N asked positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError


class RecentMask:
    """Draws from torch's generator, which is seeded as that of dropout is, so a resumed run draws the same."""

    def __init__(self, *, hours: float = 24.0) -> None:
        """Set the longest time.

        Args:
            hours: upper end of the uniform draw, above 0.

        Raises:
            UserError: ``hours`` is not above 0.
        """
        if hours <= 0:
            raise UserError(f"recent_mask.hours={hours}: above 0, or leave the mask out. Try recent_mask.hours=24.")
        self.seconds = hours * 3600

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        """``(N,)`` last position that each asked one may see, -1 for none; for ``Views(end_N=...)``."""
        hidden_B1 = (torch.rand(len(batch.length_B), 1) * self.seconds).long().to(batch.times_BT.device)
        latest_BT = batch.now_BT - hidden_B1
        end_BT = torch.searchsorted(batch.times_BT.contiguous(), latest_BT, right=True) - 1
        return torch.minimum(at.of(end_BT), at.position_N)
