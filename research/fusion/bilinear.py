"""A matrix product of the two states for every dimension of the interest, factorised.

``interest_d = long^T W_d short``, one matrix a dimension, would take D^3 numbers. Here ``W_d = sum_r P_dr u_r v_r^T``,
the low-rank bilinear pooling of Kim et al. (ICLR 2017, arXiv 1610.04325) without its tanh.

Shape legend: N asked positions, D width, R rank.
"""

from __future__ import annotations

from torch import Tensor, nn

from research.errors import UserError
from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class Bilinear(StateFusion):
    """``interest = P (U long * V short)``. Either branch scales the other, so a share of each is not defined."""

    def __init__(self, sizes: Sizes, *, rank: int | None = None) -> None:
        """Make the factors.

        Args:
            sizes: of the run.
            rank: R, products of one long and one short direction that are summed; ``None`` is the width.

        Raises:
            UserError: the rank is below 1.
        """
        super().__init__()
        width = sizes.width
        rank = width if rank is None else rank
        if rank < 1:
            raise UserError(f"fusion.rank={rank}: a matrix has a rank of at least 1, or null for the width.")
        self.of_long = nn.Linear(width, rank, bias=False)
        self.of_short = nn.Linear(width, rank, bias=False)
        self.out = nn.Linear(rank, width, bias=False)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        return Fused(self.out(self.of_long(long_ND) * self.of_short(short_ND)), None)
