"""The short-term encoder begins where the long-term one stands: LSTUR-ini (An et al., ACL 2019).

The window is read from the long state just before it, so the long view has had no look at the window itself, and
windows that begin together begin alike. With ``encoder@long=user`` it is LSTUR's, which begins from the user's vector;
any other long encoder says what it knows of the history before the window, zeros where there is none.
"""

from __future__ import annotations

from typing import ClassVar

from research.fusion.base import Fused, Fusion
from research.sizes import Sizes
from research.views import Views


class InitialState(Fusion):
    """``interest = short encoder(window, begun from long)``. One state carries both, so shares are not defined."""

    needs_initial: ClassVar[bool] = True

    def __init__(self, sizes: Sizes) -> None:
        """Nothing to learn; ``sizes`` is every part's first argument."""
        super().__init__()

    def forward(self, views: Views) -> Fused:
        return Fused(views.short_from(views.before_ND), None)
