"""CLSR's contrastive disentangling: each state is to resemble the proxy of its own horizon more than the other's.

Proxies are labels that cost nothing: ``p_l`` is the mean of all items so far, ``p_s`` that of the recent ones. Four
pairs ``(anchor: positive over negative)``:

    (long: p_l over p_s)   (p_l: long over short)   (short: p_s over p_l)   (p_s: short over long)

    bpr      softplus(<a, n> - <a, p>)
    triplet  max(0, |a - p|^2 - |a - n|^2 + margin)

Histories up to ``threshold`` items are left out: there the proxies are much the same. Zheng et al., WWW 2022 (arXiv
2202.13090) and tsinghua-fib-lab/CLSR. Departure: the authors' code takes the triplet's hinge in every dimension and
then sums; here it is taken of the distances, as the formula reads.

Shape legend: B rows, T positions, N supervised positions, D width.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from research.auxiliary.base import Auxiliary
from research.encoders.rows import take
from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.views import Views


class Contrast(Auxiliary):
    """Four contrasts a position, summed."""

    def __init__(
        self,
        sizes: Sizes,
        *,
        weight: float = 0.1,
        form: Literal["triplet", "bpr"] = "triplet",
        recent: int | None = 3,
        threshold: int = 5,
        margin: float = 1.0,
    ) -> None:
        """Set the contrast.

        Args:
            sizes: of the run.
            weight: of the term beside the loss, above 0.
            form: of one contrast.
            recent: items of the short proxy; ``None`` takes those of the short view's window.
            threshold: histories of more items than this are contrasted.
            margin: of the triplets, in squared distance.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if weight <= 0 or (recent is not None and recent < 1) or threshold < 0 or margin < 0:
            raise UserError(
                f"auxiliary.contrast: weight={weight} lies above 0, recent={recent} is at least 1 or null, "
                f"threshold={threshold} and margin={margin} are not negative."
            )
        self.weight, self.form, self.recent = weight, form, recent
        self.threshold, self.margin = threshold, margin

    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        at = views.at
        # A mask or padding is no interest of anybody.
        real_BT = (views.batch.items_BT > 0) & (views.batch.items_BT <= items.n_items)
        upto_BTD = F.pad((views.rows.x_BTD * real_BT[..., None]).cumsum(1), (0, 0, 1, 0))
        count_BT = F.pad(real_BT.cumsum(1), (1, 0))

        def mean(first_N: Tensor, last_N: Tensor) -> Tensor:
            """Mean item from ``first`` to ``last``, a difference of cumulated sums; zeros where there is none."""
            t = upto_BTD.shape[1]
            ends = (at.row_N * t + torch.maximum(last_N + 1, first_N), at.row_N * t + first_N)
            sum_ND = take(upto_BTD, ends[0]) - take(upto_BTD, ends[1])
            n_N = count_BT.flatten()[ends[0]] - count_BT.flatten()[ends[1]]
            return sum_ND / n_N.clamp(min=1)[:, None]

        if self.recent is None:
            near_ND = mean(views.start_N, views.end_N)
        else:
            near_ND = mean((at.position_N - self.recent + 1).clamp(min=0), at.position_N)
        far_ND = mean(torch.zeros_like(at.position_N), at.position_N)
        long_ND, short_ND = views.long_ND, views.short_ND
        loss_N = (
            self.contrast(long_ND, far_ND, near_ND)
            + self.contrast(far_ND, long_ND, short_ND)
            + self.contrast(short_ND, near_ND, far_ND)
            + self.contrast(near_ND, short_ND, long_ND)
        )
        enough_N = at.of(count_BT[:, 1:]) > self.threshold
        return self.weight * loss_N.masked_fill(~enough_N, 0).sum()

    def contrast(self, anchor_ND: Tensor, positive_ND: Tensor, negative_ND: Tensor) -> Tensor:
        """``(N,)`` how little the anchor prefers the positive."""
        if self.form == "bpr":
            return F.softplus((anchor_ND * (negative_ND - positive_ND)).sum(1))
        near_N, far_N = (anchor_ND - positive_ND).square().sum(1), (anchor_ND - negative_ND).square().sum(1)
        return (near_N - far_N + self.margin).clamp(min=0)
