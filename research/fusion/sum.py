"""Control: the sum of the two states, nothing learned."""

from __future__ import annotations

from torch import Tensor

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Sum(StateFusion):
    """``interest = long + short``. The branches have no weights: each counts as much as its state is long."""

    def __init__(self, sizes: Sizes) -> None:
        """Nothing to learn; ``sizes`` is every part's first argument."""
        super().__init__()

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND + short_ND, None)
