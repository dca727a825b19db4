"""CLSR's discrepancy: a user's long and short vector, which live in two tables, are to be two.

``-mean_d (u_long - u_short)^2``, read off the tables of the two encoders and not off their states. Zheng et al., WWW
2022 (arXiv 2202.13090), with the distance and the weight of tsinghua-fib-lab/CLSR. Departure: a user counts once a
supervised position, as every other term does, where theirs counts once a batch.

The term has no lower end: it rewards distance however far. The weight is small for that reason, and
``optimizer.weight_decay`` holds against it, as their L2 penalty does.

Shape legend: B rows, N supervised positions, U users, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from research.auxiliary.base import Auxiliary
from research.encoders.base import Encoder
from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.objectives.base import Supervised
from research.sizes import Sizes
from research.views import Views


class UserDiscrepancy(Auxiliary):
    """``-weight * mean squared difference`` of the two vectors of each position's user."""

    def __init__(self, sizes: Sizes, *, weight: float = 0.01) -> None:
        """Set the weight.

        Args:
            sizes: of the run.
            weight: of the term beside the loss, above 0.

        Raises:
            UserError: the weight is not above 0.
        """
        super().__init__()
        if weight <= 0:
            raise UserError(f"auxiliary.user_discrepancy.weight={weight}: above 0, or leave the term out.")
        self.weight = weight

    def forward(self, views: Views, fused: Fused, supervised: Supervised, items: ItemTable) -> Tensor:
        users_B = views.batch.users_B
        long_BD, short_BD = (
            F.embedding(users_B, table(view, encoder))
            for view, encoder in (("long", views.long), ("short", views.short))
        )
        times_B = torch.bincount(views.at.row_N, minlength=len(users_B))
        return -self.weight * ((long_BD - short_BD).square().mean(dim=1) * times_B).sum()


def table(view: str, encoder: Encoder | None) -> Tensor:
    """``(U, D)`` users of an encoder.

    Raises:
        UserError: it has none.
    """
    if encoder is None or encoder.user_table is None:
        raise UserError(
            f"auxiliary=user_discrepancy compares the vectors that both encoders keep of a user, and encoder@{view} "
            f"keeps none. Use encoder@{view}=user, encoder@{view}=evolving_query, or encoder@{view}=attention_pool "
            f"with {view}.query=user; or leave the term out."
        )
    return encoder.user_table
