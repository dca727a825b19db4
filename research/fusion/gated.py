"""A gate decides for every position and dimension how much of each state passes.

The vector gate of SDM (Lv et al., CIKM 2019, arXiv 1909.00385, equation 12) without its user vector.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Gated(StateFusion):
    """``g = sigmoid(W [long; short] + b)``, ``interest = g * long + (1 - g) * short``."""

    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, elementwise: bool = True) -> None:
        """Make the gate.

        Args:
            sizes: of the run.
            elementwise: one gate a dimension; otherwise one number a position.
        """
        super().__init__()
        width = sizes.width
        self.gate = nn.Linear(2 * width, width if elementwise else 1)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        g_NG = self.gate(torch.cat([long_ND, short_ND], dim=1)).sigmoid()
        share_N = g_NG.mean(dim=1)
        kind = torch.promote_types(long_ND.dtype, short_ND.dtype)  # under autocast they may differ, and lerp takes one
        interest_ND = torch.lerp(short_ND.to(kind), long_ND.to(kind), g_NG.to(kind))
        return Fused(interest_ND, torch.stack([share_N, 1 - share_N], dim=1))
