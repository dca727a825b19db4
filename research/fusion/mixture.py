"""A mixture of gates: the situation decides which of several gates is listened to.

Each expert is a vector gate (``gated``). A router that sees no state, only the situation (how long the user was away,
how long the window and the history are), weighs the experts (soft routing, after Jacobs et al., Neural Computation
1991). Every expert is computed: with some gates of D x 2D there is nothing to save by routing to the best few.

Shape legend: N asked positions, D width, E experts.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from research.errors import UserError
from research.fusion.base import Fused, Fusion
from research.fusion.gated import Gated
from research.sizes import Sizes
from research.views import Views


class Mixture(Fusion):
    """``r = softmax(R context + b)``, ``interest = sum_e r_e * gated_e(long, short)``, weights likewise."""

    weighs: ClassVar[bool] = True

    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, experts: int = 3) -> None:
        """Make the experts and their router.

        Args:
            sizes: of the run; its catalogue tells a hidden item from a seen one.
            experts: E, at least 2.

        Raises:
            UserError: there are fewer than 2 experts.
        """
        super().__init__()
        if experts < 2:
            raise UserError(f"fusion.experts={experts}: a mixture has at least 2 experts; one alone is fusion=gated.")
        self.n_items = sizes.n_items
        self.experts = nn.ModuleList(Gated(sizes) for _ in range(experts))
        self.router = nn.Linear(3, experts)

    def forward(self, views: Views) -> Fused:
        route_NE = self.router(self.context(views)).softmax(dim=1)
        made = [expert.fuse(views.long_ND, views.short_ND) for expert in self.experts]  # type: ignore[operator]
        interest_NED = torch.stack([fused.interest_ND for fused in made], dim=1)
        weight_NE2 = torch.stack([fused.weight_N2 for fused in made], dim=1)
        return Fused((route_NE[..., None] * interest_NED).sum(1), (route_NE[..., None] * weight_NE2).sum(1))

    def context(self, views: Views) -> Tensor:
        """``(N, 3)``: logarithms of the hours away (plus one), of the window's and of the history's items."""
        position_N = views.at.position_N
        hours_N = views.gap_N(self.n_items) / 3600
        counts = [hours_N + 1, position_N - views.start_N + 1, position_N + 1]
        return torch.stack([count_N.to(self.router.weight.dtype).log() for count_N in counts], dim=1)
