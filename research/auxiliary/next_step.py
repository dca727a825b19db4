"""DIEN's auxiliary loss: every state of a branch must itself tell the next item from a drawn one.

    -(log sigma(<h, e_next>) + log(1 - sigma(<h, e_drawn>)))   for the long and for the short state

The fusion may otherwise leave a branch without a task of its own. Zhou et al., AAAI 2019 (arXiv 1809.03672), equation
7, with one uniform negative a position, drawn from torch's generator. With the masked objective "next" is the hidden
item. Departure: both branches, where DIEN has one recurrent extractor.

Shape legend: N supervised positions, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from research.auxiliary.base import Auxiliary
from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.views import Views


class NextStep(Auxiliary):
    """Binary cross-entropy of each branch's state."""

    def __init__(self, sizes: Sizes, *, weight: float = 1.0) -> None:
        """Set the weight.

        Args:
            sizes: of the run.
            weight: of the term beside the loss, above 0.

        Raises:
            UserError: the weight is not above 0.
        """
        super().__init__()
        if weight <= 0:
            raise UserError(f"auxiliary.next_step.weight={weight}: above 0, or leave the term out.")
        self.weight = weight

    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        target_N = supervised.target_N - 1
        drawn_N = torch.randint(items.n_items, target_N.shape, device=target_N.device)
        target_ND, drawn_ND = items.candidates_of(torch.stack([target_N, drawn_N]))
        total = fused.interest_ND.new_zeros(())
        for state_ND in (views.long_ND, views.short_ND):
            yes_N = F.softplus(-(state_ND * target_ND).sum(1))
            no_N = F.softplus((state_ND * drawn_ND).sum(1))
            total = total + yes_N.sum() + no_N.masked_fill(drawn_N == target_N, 0).sum()
        return self.weight * total
