"""Control: the interests of the long branch alone, each item scored by the nearest.

With ``encoder@long=multi_interest`` this is ComiRec-SA (Cen et al., KDD 2020), which has no short branch; the departure
in training is that of ``max_interest``.
"""

from __future__ import annotations

from typing import ClassVar

from research.fusion.base import Fused, Fusion
from research.fusion.best_interest import BestInterest
from research.sizes import Sizes
from research.views import Views


class LongMaxInterest(Fusion):
    """``score(x) = max over the long interests``. No weights: which interest speaks is another for every item."""

    branches: ClassVar[tuple[str, ...]] = ("long",)
    takes_interests: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Remember how wide one interest is.

        Args:
            sizes: of the run.
        """
        super().__init__()
        self.width = sizes.width

    def forward(self, views: Views) -> Fused:
        return BestInterest.of(views.long_ND.unflatten(1, (-1, self.width)))
