"""Generalised binary cross-entropy of gSASRec, which undoes the overconfidence that comes from sampling.

    -(log sigma(s+)^beta + sum_j log(1 - sigma(s_j))) / (K + 1)
    beta = alpha (t (1 - 1/alpha) + 1/alpha),   alpha = K / (I - 1)

t = 0 is BCE, t = 1 is fully calibrated; the authors advise K = 256, t = 0.75. Petrov and Macdonald, RecSys 2023, and
their code asash/gSASRec-pytorch. Departures: a logarithm to the power of beta is a product, so float32 suffices where
their code takes float64; by default the positions of a step share their negatives (``shared: false`` draws for each,
as theirs does, at some K times the cost).

Shape legend: C positions, K negatives, I items.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from research.errors import UserError
from research.losses.draw import Source
from research.losses.sampled import Compared, SampledLoss


class GBCE(SampledLoss):
    """BCE whose yes counts ``beta`` times."""

    def __init__(
        self,
        count_I: Tensor,
        *,
        negatives: int = 256,
        source: Source = "uniform",
        exponent: float = 0.75,
        shared: bool = True,
        t: float = 0.75,
    ) -> None:
        """Choose the negatives and the calibration.

        Args:
            count_I: training interactions of each item.
            negatives: items drawn for a step (shared) or for each position.
            source: ``uniform``, ``popularity`` or ``batch``; the formula is meant for ``uniform``.
            exponent: of the counts, for ``popularity``; 0 or above.
            shared: whether the positions of a step share their negatives.
            t: from 0, plain BCE, to 1, fully calibrated.

        Raises:
            UserError: a value is out of its range, or there are too few items to have a negative.
        """
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)
        if not 0 <= t <= 1:
            raise UserError(f"loss.t={t}: the calibration lies between 0 and 1.")
        # More negatives than items (drawn with replacement) sample the whole catalogue: nothing is left to calibrate.
        alpha = min(1.0, negatives / (len(count_I) - 1))
        self.beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)

    def of_scores(self, compared: Compared) -> Tensor:
        no_C = F.softplus(compared.other_CK).masked_fill(compared.hit_CK, 0).sum(1)
        return (self.beta * F.softplus(-compared.own_C) + no_C) / (self.negatives + 1)
