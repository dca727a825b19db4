"""Control: the short-term state alone."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.fusion.base import Fused, Fusion


class ShortOnly(Fusion):
    """``interest = short``; the long branch is neither built nor computed."""

    branches: ClassVar[tuple[str, ...]] = ("short",)

    def __init__(self, width: int) -> None:
        """Nothing to learn; ``width`` is every fusion's first argument."""
        super().__init__()

    def forward(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(short_ND, long_ND.new_tensor([0.0, 1.0]).expand(len(long_ND), 2))
