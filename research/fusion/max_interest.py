"""All interests of both branches, each item scored by the nearest (serving of MIND and ComiRec, KDD 2020).

A branch may give several vectors a position (``encoder@long=multi_interest``) or one.

Departure: ComiRec trains the interest that is nearest to the *target* against sampled negatives. Here the loss sees the
maximum for every item: the target is scored by its nearest interest, as there, and a negative by *its* nearest instead
of by the target's. So training asks for what ranking does, and a far interest that a negative lies on is pushed away.

Shape legend: N asked positions, D width, K interests.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from research.fusion.base import Fused, Fusion
from research.fusion.best_interest import BestInterest
from research.sizes import Sizes
from research.views import Views


class MaxInterest(Fusion):
    """``score(x) = max over all interests of both branches``; shares are not defined, see ``BestInterest``."""

    takes_interests: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Remember how wide one interest is.

        Args:
            sizes: of the run.
        """
        super().__init__()
        self.width = sizes.width

    def forward(self, views: Views) -> Fused:
        both = [state.unflatten(1, (-1, self.width)) for state in (views.long_ND, views.short_ND)]
        return BestInterest.of(torch.cat(both, dim=1))
