"""Control: the elementwise product of the two states, nothing learned (SDM's option ``multiply``; STAMP's core)."""

from __future__ import annotations

from torch import Tensor

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Product(StateFusion):
    """``interest = long * short``. A product has no shares: either branch can silence the other."""

    def __init__(self, sizes: Sizes) -> None:
        """Nothing to learn; ``sizes`` is every part's first argument."""
        super().__init__()

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND * short_ND, None)
