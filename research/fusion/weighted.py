"""A weighted sum of the two states, the weight the same for every user and position."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from research.errors import UserError
from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Weighted(StateFusion):
    """``interest = a * long + (1 - a) * short`` with ``a`` fixed, one learned number, or one a dimension."""

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
            long_share: weight of the long branch, or its initial value; between 0 and 1, and for a learned weight
                neither 0 nor 1, where a sigmoid cannot start.

        Raises:
            UserError: ``long_share`` is out of its range.
        """
        super().__init__()
        width = sizes.width
        if not 0 <= long_share <= 1 or (weight != "fixed" and long_share in (0, 1)):
            raise UserError(
                f"fusion.long_share={long_share} with fusion.weight={weight}: a fixed share lies in [0, 1], "
                "the start of a learned one strictly between 0 and 1."
            )
        shape = (width,) if weight == "elementwise" else (1,)
        if weight == "fixed":
            self.register_buffer("share", torch.full(shape, float(long_share)))
        else:
            self.logit = nn.Parameter(torch.full(shape, float(long_share)).logit())
        self.learned = weight != "fixed"

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        share: Tensor = self.logit.sigmoid() if self.learned else self.get_buffer("share")
        mean = share.mean()
        weight_N2 = torch.stack([mean, 1 - mean]).expand(len(long_ND), 2)
        return Fused(share * long_ND + (1 - share) * short_ND, weight_N2)
