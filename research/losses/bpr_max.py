"""BPR-max: the right item above the drawn ones, the strongest of which count most.

    -log sum_j p_j sigma(s+ - s_j) + regularization * sum_j p_j s_j^2,   p = softmax over the drawn items' scores

Plain BPR over many negatives has almost no gradient once most of them lie far below; here the weight goes to those that
do not. Hidasi and Karatzoglou, CIKM 2018 (arXiv 1706.03847), section 3.2, and the official GRU4Rec code.

Shape legend: C positions, K negatives.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from research.errors import UserError
from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class BPRMax(SampledLoss):
    """BPR with softmax weights over the negatives, and scores of negatives pulled to zero."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        negatives: int = 2048,
        source: Source = "popularity",
        exponent: float = 0.5,
        shared: bool = True,
        regularization: float = 1.0,
    ) -> None:
        """Choose the negatives and the pull.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for a step (shared) or for each position.
            source: ``uniform``, ``popularity`` or ``batch``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.
            regularization: weight of the squared scores, 0 or above.

        Raises:
            UserError: a value is out of its range, or there are too few items to have a negative.
        """
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)
        if regularization < 0:
            raise UserError(f"loss.regularization={regularization}: it is not negative.")
        self.regularization = regularization

    def of_scores(self, compared: Compared) -> Tensor:
        other_CK = compared.other_CK
        # A finite stand-in for minus infinity: a position whose draws are all hits must not make NaN gradients.
        shown_CK = other_CK.masked_fill(compared.hit_CK, torch.finfo(other_CK.dtype).min / 4)
        log_p_CK = shown_CK.log_softmax(dim=1)
        ranked_C = -(log_p_CK + F.logsigmoid(compared.own_C[:, None] - other_CK)).logsumexp(dim=1)
        pulled_C = (log_p_CK.exp() * other_CK.square()).sum(1)
        loss_C = ranked_C + self.regularization * pulled_C
        return loss_C.masked_fill(compared.hit_CK.all(dim=1), 0)
