"""Two layers, then a product of three: the long state, the short state and the item (STAMP, Liu et al., KDD 2018).

``h_s = tanh(W_s long + b_s)``, ``h_t = tanh(W_t short + b_t)``, and an item scores ``sum_d h_s h_t x``, so that the
interest is ``h_s * h_t``. Departure: the paper puts a sigmoid around the score before the softmax, which no ranking
sees; its authors' code leaves it out too, and the biases with it.
"""

from __future__ import annotations

from torch import Tensor, nn

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Trilinear(StateFusion):
    """Either branch can silence the other, so a share of each is not defined."""

    def __init__(self, sizes: Sizes) -> None:
        """Make a layer for each branch.

        Args:
            sizes: of the run.
        """
        super().__init__()
        width = sizes.width
        self.of_long, self.of_short = nn.Linear(width, width), nn.Linear(width, width)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(self.of_long(long_ND).tanh() * self.of_short(short_ND).tanh(), None)
