"""Keep the two views apart, so that a fusion has two opinions to choose from.

The squared cosine of the two states, as domain separation networks keep private and shared parts apart (Bousmalis et
al., NIPS 2016, arXiv 1608.06019, equation 5). Departure: one cosine a position instead of products over a batch, so
that the term does not depend on who shares a batch.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from research.auxiliary.base import Auxiliary
from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.views import Views


class Decorrelation(Auxiliary):
    """``weight * cos(long, short)^2``."""

    def __init__(self, sizes: Sizes, *, weight: float = 0.1) -> None:
        """Set the weight.

        Args:
            sizes: of the run.
            weight: of the term beside the loss, above 0.

        Raises:
            UserError: the weight is not above 0.
        """
        super().__init__()
        if weight <= 0:
            raise UserError(f"auxiliary.decorrelation.weight={weight}: above 0, or leave the term out.")
        self.weight = weight

    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        return self.weight * F.cosine_similarity(views.long_ND, views.short_ND, dim=1).square().sum()
