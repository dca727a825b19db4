"""Control: the sum of the two states, nothing learned."""

from __future__ import annotations

from torch import Tensor

from research.fusion.base import Fused, Fusion


class Sum(Fusion):
    """``interest = long + short``. The branches have no weights: each counts as much as its state is long."""

    def __init__(self, width: int) -> None:
        """Nothing to learn; ``width`` is every fusion's first argument."""
        super().__init__()

    def forward(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(long_ND + short_ND, None)
