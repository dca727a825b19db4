"""A gate between the short state and new features that are made of both.

SDM's option ``feature_gated`` (Lv et al., CIKM 2019, ``combine_long_short`` in the authors' code).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class FeatureGate(StateFusion):
    """``f = tanh(W [long; short] + b)``, ``g = sigmoid(V [long; short] + c)``, ``interest = g * short + (1 - g) * f``.

    The gate weighs the short state against a mixture of both, so a share of the long branch is not defined.
    """

    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Make the layers.

        Args:
            sizes: of the run.
        """
        super().__init__()
        width = sizes.width
        self.feature, self.gate = nn.Linear(2 * width, width), nn.Linear(2 * width, width)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        both_N2D = torch.cat([long_ND, short_ND], dim=1)
        f_ND, g_ND = self.feature(both_N2D).tanh(), self.gate(both_N2D).sigmoid()
        return Fused(g_ND * short_ND + (1 - g_ND) * f_ND, None)
