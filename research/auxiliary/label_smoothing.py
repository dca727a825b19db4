"""Label smoothing as a term beside the cross-entropy: a share of the target is spread over the catalogue.

    sum_i q_i (-log p_i) with q = (1 - w) one-hot + w / I
  = -log p_target + w (s_target - mean_i s_i)

The second line is what stands here. A mean score is the score of the mean item, so the catalogue is never scored and
any cross-entropy kernel can be used. Szegedy et al., CVPR 2016 (arXiv 1512.00567), section 7. Beside a sampled loss it
is still the smoothing of the full softmax that the loss estimates.

Shape legend: N supervised positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from research.auxiliary.base import Auxiliary
from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.views import Views


class LabelSmoothing(Auxiliary):
    """``weight * (score of the target - mean score of the catalogue)``."""

    branches: tuple[str, ...] = ()
    sampled: ClassVar[bool] = False

    def __init__(self, sizes: Sizes, *, weight: float = 0.1) -> None:
        """Set the share.

        Args:
            sizes: of the run.
            weight: share of the target that is spread over the catalogue, between 0 and 1.

        Raises:
            UserError: it is not.
        """
        super().__init__()
        if not 0 < weight < 1:
            raise UserError(
                f"auxiliary.label_smoothing.weight={weight}: strictly between 0 and 1, or leave the term out."
            )
        self.weight = weight

    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        if not fused.dot:
            raise UserError(
                "auxiliary=label_smoothing needs scores that are dot products; this fusion scores candidate by "
                "candidate. Leave the term out, or choose another fusion."
            )
        target_ND = items.candidates_of(supervised.target_N - 1)
        return self.weight * (fused.interest_ND * (target_ND - items.candidates().mean(0))).sum()
