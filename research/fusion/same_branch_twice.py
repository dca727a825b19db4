"""Control: the same two encoders and the same gate, but both read the long view.

What is the honest control for "two branches help"? One long state given to the gate twice is none:
``g * h + (1 - g) * h = h`` whatever the gate says, so it is ``long_only`` with idle parameters. Two encoders *of their
own weights* over the same history could gain by being two (an ensemble, more parameters) but not by seeing a window.
So the short encoder reads the long view here. Against ``gated`` with the same encoders everything is equal, parameters
and seconds nearly too, and the window alone is gone. Choose ``encoder@short`` like ``encoder@long`` for the same branch
twice; with another encoder it answers whether the second *kind* of encoder brings the gain.
"""

from __future__ import annotations

from typing import ClassVar

from research.fusion.base import Fused, Fusion
from research.fusion.gated import Gated
from research.sizes import Sizes
from research.views import Views


class SameBranchTwice(Fusion):
    """``gated(long encoder(history), short encoder(history))``; weights are the gate's, in that order."""

    twin: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, elementwise: bool = True) -> None:
        """Make the gate.

        Args:
            sizes: of the run.
            elementwise: as of ``gated``: one gate a dimension; otherwise one number a position.
        """
        super().__init__()
        self.gated = Gated(sizes, elementwise=elementwise)

    def forward(self, views: Views) -> Fused:
        return self.gated.fuse(views.long_ND, views.twin_ND)
