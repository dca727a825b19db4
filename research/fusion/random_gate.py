"""Control: a gate that was drawn once and learns nothing.

If it does as well as a learned gate, what helps is to have two states, not to weigh them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class RandomGate(StateFusion):
    """``interest = g * long + (1 - g) * short``; ``g`` uniform in [0, 1) a dimension, from the weights' seed."""

    def __init__(self, sizes: Sizes) -> None:
        """Draw the gate.

        Args:
            sizes: of the run.
        """
        super().__init__()
        self.register_buffer("gate", torch.rand(sizes.width))

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        g_D = self.get_buffer("gate")
        share = g_D.mean()
        weight_N2 = torch.stack([share, 1 - share]).expand(len(long_ND), 2)
        return Fused(g_D * long_ND + (1 - g_D) * short_ND, weight_N2)
