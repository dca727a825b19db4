"""Control: the long-term state alone."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.fusion.base import Fused, Fusion


class LongOnly(Fusion):
    """``interest = long``; the short branch is neither built nor computed."""

    branches: ClassVar[tuple[str, ...]] = ("long",)

    def __init__(self, width: int) -> None:
        """Nothing to learn; ``width`` is every fusion's first argument."""
        super().__init__()

    def forward(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND, long_ND.new_tensor([1.0, 0.0]).expand(len(long_ND), 2))
