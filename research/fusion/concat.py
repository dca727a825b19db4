"""Control: both states side by side through one linear layer (NARM, Li et al., CIKM 2017; LSTUR-con)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.fusion.base import Fused, Fusion


class Concat(Fusion):
    """``interest = W [long; short]``. A linear map mixes the branches, so a share of each is not defined."""

    def __init__(self, width: int) -> None:
        """Make the layer.

        Args:
            width: size of a state.
        """
        super().__init__()
        self.mix = nn.Linear(2 * width, width, bias=False)

    def forward(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(self.mix(torch.cat([long_ND, short_ND], dim=1)), None)
