"""Binary cross-entropy: the right item is a yes, every drawn one a no (SASRec, arXiv 1808.09781, equation 6).

    -(log sigma(s+) + sum_j log(1 - sigma(s_j))) / (K + 1)

Departures: the mean over the K + 1 answers instead of their sum, so that K does not change the size of the loss;
negatives may come from the user's past.

Shape legend: C positions, K negatives.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class BCE(SampledLoss):
    """Each answer on its own."""

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
        # log(1 - sigma(s)) = -softplus(s)
        no_C = F.softplus(compared.other_CK).masked_fill(compared.hit_CK, 0).sum(1)
        return (F.softplus(-compared.own_C) + no_C) / (self.negatives + 1)
