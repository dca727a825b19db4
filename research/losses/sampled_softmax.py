"""Softmax over the right item and drawn ones, with the logQ correction.

    -log  exp(s+) / (exp(s+) + sum_j exp(s_j - log(K q_j)))        correction = negatives

The sum is an unbiased estimate of what the other items add to the full softmax: an item is drawn K q times and each
time weighs 1 / (K q); that the right item is masked among the drawn ones leaves the estimate of the *others*
unbiased. The right item is there with certainty and needs no correction. With ``all`` its score is corrected by
log(K q+) too, as TensorFlow's sampled softmax and Yi et al. (RecSys 2019) do. With ``none`` nothing is (HSTU, eSASRec).
For uniform negatives ``all`` and ``none`` are the same.

Source: Bengio and Senecal, IEEE TNN 2008; Jean et al., ACL 2015.

Shape legend: C positions, K negatives.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class SampledSoftmax(SampledLoss):
    """``logsumexp([s+, s_1, ..., s_K]) - s+`` of corrected scores."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        negatives: int = 256,
        source: Source = "uniform",
        exponent: float = 0.75,
        shared: bool = True,
        correction: Literal["none", "negatives", "all"] = "negatives",
    ) -> None:
        """Choose the negatives and the correction.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for a step (shared) or for each position.
            source: ``uniform``, ``popularity`` or ``batch``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.
            correction: which scores are corrected for the probability of being drawn.

        Raises:
            UserError: no negative, a negative exponent, or too few items to have a negative.
        """
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)
        self.correction = correction

    def of_scores(self, compared: Compared) -> Tensor:
        own_C, other_CK = compared.own_C, compared.other_CK
        log_k = math.log(self.negatives)
        if self.correction != "none":
            other_CK = other_CK - compared.other_log_q_CK - log_k
        if self.correction == "all":
            own_C = own_C - compared.own_log_q_C - log_k
        other_CK = other_CK.masked_fill(compared.hit_CK, -torch.inf)
        return torch.cat([own_C[:, None], other_CK], dim=1).logsumexp(dim=1) - own_C
