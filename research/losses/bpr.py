"""Bayesian personalised ranking: the right item above each drawn one (Rendle et al., UAI 2009, arXiv 1205.2618).

    -sum_j log sigma(s+ - s_j) / K

Shape legend: C positions, K negatives.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class BPR(SampledLoss):
    """Pairs of the right item and a drawn one."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        negatives: int = 1,
        source: Source = "uniform",
        exponent: float = 0.75,
        shared: bool = False,
    ) -> None:
        """Choose the negatives.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for each position or for a step (shared).
            source: ``uniform``, ``popularity`` or ``batch``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.

        Raises:
            UserError: no negative, a negative exponent, or too few items to have a negative.
        """
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)

    def of_scores(self, compared: Compared) -> Tensor:
        pair_CK = F.softplus(compared.other_CK - compared.own_C[:, None])
        return pair_CK.masked_fill(compared.hit_CK, 0).sum(1) / self.negatives
