"""The short-term view counts less, the longer the user was away.

``short share = s * 2^(-gap / half-life)``, the rest is the long view's. The gap is the time from the latest interaction
that is seen to the moment for which is asked. After an absence of many half-lives only the lasting taste speaks. An
exponential forgetting curve; no paper's model.

Shape legend: N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.sizes import Sizes
from research.views import Views


class TimeDecayed(Fusion):
    """``interest = (1 - w) * long + w * short`` with ``w = s * 2^(-gap / half-life)``, both constants learned."""

    weighs: ClassVar[bool] = True

    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, half_life: float = 24.0, short_share: float = 0.75) -> None:
        """Set where learning starts.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
            half_life: hours of absence after which the short view counts half, above 0.
            short_share: ``s``, its weight right after an interaction, strictly between 0 and 1.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if half_life <= 0 or not 0 < short_share < 1:
            raise UserError(
                f"fusion.half_life={half_life}, fusion.short_share={short_share}: a half-life is longer than 0 hours, "
                "and the share with which learning starts lies strictly between 0 and 1."
            )
        self.n_items, self.seconds = sizes.n_items, half_life * 3600
        # A factor on the half-life: weight decay pulls towards what was asked for, not towards some unit of time.
        self.log_factor = nn.Parameter(torch.zeros(()))
        self.logit = nn.Parameter(torch.tensor(short_share).logit())

    def forward(self, views: Views) -> Fused:
        halvings_N = views.gap_N(self.n_items).to(self.logit.dtype) / (self.seconds * self.log_factor.exp())
        short_N = self.logit.sigmoid() * torch.exp2(-halvings_N)
        interest_ND = (1 - short_N)[:, None] * views.long_ND + short_N[:, None] * views.short_ND
        return Fused(interest_ND, torch.stack([1 - short_N, short_N], dim=1))
