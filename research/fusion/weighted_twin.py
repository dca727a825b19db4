"""One encoder for both views: ``interest = a * encoder(history) + (1 - a) * encoder(window)``.

The two states share every weight, so that a large pretrained backbone is held and tuned once, and what differs between
the views is what was read. The encoder is that of the short view; no long one is built. It is ``weighted`` in all else.
Where window and history are the same, so are the states, and ``a`` decides nothing.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from research.fusion.base import Fused, Fusion
from research.fusion.weighted import Weighted
from research.sizes import Sizes
from research.views import Views


class WeightedTwin(Fusion):
    """``weighted`` of the short encoder over the long view and over the window; weights in that order."""

    branches: ClassVar[tuple[str, ...]] = ("short",)
    twin: ClassVar[bool] = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        weight: Literal["fixed", "scalar", "elementwise"] = "scalar",
        long_share: float = 0.5,
    ) -> None:
        """Make the fusion.

        Args:
            sizes: of the run.
            weight: ``fixed`` keeps ``long_share``; ``scalar`` and ``elementwise`` learn from it onwards.
            long_share: a, the weight of the long view, or its initial value; in the ranges of ``weighted``.

        Raises:
            UserError: ``long_share`` is out of its range.
        """
        super().__init__()
        self.weighted = Weighted(sizes, weight=weight, long_share=long_share)

    def forward(self, views: Views) -> Fused:
        return self.weighted.fuse(views.twin_ND, views.short_ND)
