"""Control: the long-term state alone."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class LongOnly(StateFusion):
    """``interest = long``; the short branch is neither built nor computed."""

    branches: ClassVar[tuple[str, ...]] = ("long",)

    def __init__(self, sizes: Sizes) -> None:
        """Nothing to learn; ``sizes`` is every part's first argument."""
        super().__init__()

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND, long_ND.new_tensor([1.0, 0.0]).expand(len(long_ND), 2))
