"""The right item above each drawn one by a margin: the loss of metric learning, and of AttRec (arXiv 1808.06414).

    sum_j max(0, margin + s_j - s+) / K

With scores that are minus distances it is the paper's ``max(0, y+ + margin - y-)``.

Shape legend: C positions, K negatives.
"""

from __future__ import annotations

from torch import Tensor

from research.errors import UserError
from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class Hinge(SampledLoss):
    """Pairs that are apart by the margin teach nothing more."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        negatives: int = 1,
        source: Source = "uniform",
        exponent: float = 0.75,
        shared: bool = False,
        margin: float = 0.5,
    ) -> None:
        """Choose the negatives and the margin.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for each position or for a step (shared).
            source: ``uniform``, ``popularity`` or ``batch``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.
            margin: in units of scores, above 0.

        Raises:
            UserError: no negative, a negative exponent, no margin, or too few items to have a negative.
        """
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)
        if margin <= 0:
            raise UserError(f"loss.margin={margin}: above 0, for example 0.5.")
        self.margin = margin

    def of_scores(self, compared: Compared) -> Tensor:
        short_CK = (self.margin + compared.other_CK - compared.own_C[:, None]).clamp(min=0)
        return short_CK.masked_fill(compared.hit_CK, 0).sum(1) / self.negatives
