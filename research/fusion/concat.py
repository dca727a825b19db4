"""Control: both states side by side through one linear layer (NARM, Li et al., CIKM 2017; LSTUR-con)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Concat(StateFusion):
    """``interest = W [long; short]``. A linear map mixes the branches, so a share of each is not defined."""

    def __init__(self, sizes: Sizes) -> None:
        """Make the layer.

        Args:
            sizes: of the run.
        """
        super().__init__()
        width = sizes.width
        self.mix = nn.Linear(2 * width, width, bias=False)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(self.mix(torch.cat([long_ND, short_ND], dim=1)), None)
