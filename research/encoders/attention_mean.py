"""The mean of the items after one look at each other: the short-term side of AttRec (Zhang et al., arXiv 1808.06414).

::

    q_s = k_s = relu(W (x_s + place_s))
    a_sr = softmax_r(q_s . k_r / sqrt(D)),   the weight of an item for itself is then set to 0
    h_t = mean_s sum_r a_sr x_r              s and r over the items of the view

Places are sines and cosines, and only queries and keys know them. Query and key share W and the diagonal goes after the
softmax, as in the authors' code. Departures: place 0 is the oldest item of the view, also of one that is not full (the
code fills a short window with a padding item); a view of one item, where all weight would go, is that item.

Every item asks among the items of its view, later ones too, so a state is no sum over earlier states: T positions cost
T attentions. It is meant for windows of a few items; where rows are long, attentions are computed again in the backward
pass instead of being kept.

Shape legend: B rows, T positions, D width, L items that are seen.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.layer import one_a_row
from research.encoders.rows import Rows
from research.sizes import Sizes

KEPT = 1 << 22
"""Weights that may wait for the backward pass: 16 MB."""


class AttentionMean(Encoder):
    """Self-attention without a diagonal, and a mean over those who ask."""

    causal: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the projection of queries and keys.

        Args:
            sizes: of the run.
            dropout: rate on the items.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = sizes.width
        self.project = nn.Linear(sizes.width, sizes.width, bias=False)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        (b, t), (x_BTD, key_BTD) = rows.shape, self._read(rows)
        prefixes = ((x_BTD[:, :length], key_BTD[:, :length]) for length in range(1, t + 1))
        if b * t**3 // 3 <= KEPT:
            return torch.stack([self._mean(*prefix) for prefix in prefixes], dim=1)
        found = [checkpoint(self._mean, *p, use_reentrant=False, preserve_rng_state=False) for p in prefixes]
        return torch.stack(found, dim=1)  # type: ignore[arg-type]

    def states(self, rows: Rows, at: Positions) -> Tensor:
        if not one_a_row(at, rows.shape[0]):
            return super().states(rows, at)
        seen_BT = torch.arange(rows.shape[1], device=at.position_N.device) <= at.position_N[:, None]
        return self._mean(*self._read(rows), seen_BT)

    def _read(self, rows: Rows) -> tuple[Tensor, Tensor]:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        return x_BTD, self.project(x_BTD + places(rows.shape[1], self.width).to(x_BTD)).relu()

    def _mean(self, x_BLD: Tensor, key_BLD: Tensor, seen_BL: Tensor | None = None) -> Tensor:
        """``(B, D)`` from the items that are seen; ``None`` is all of them."""
        length = x_BLD.shape[1]
        score_BLL = key_BLD @ key_BLD.transpose(1, 2) / self.width**0.5
        if seen_BL is None:
            seen_BL = torch.ones(x_BLD.shape[:2], dtype=torch.bool, device=x_BLD.device)
        weight_BLL = score_BLL.masked_fill(~seen_BL[:, None], -torch.inf).softmax(dim=2)
        itself_LL = torch.eye(length, dtype=torch.bool, device=x_BLD.device)
        count_B1 = seen_BL.sum(1, keepdim=True)
        left_out_BLL = (itself_LL & (count_B1 > 1)[:, :, None]) | ~seen_BL[:, :, None]
        share_BL = weight_BLL.masked_fill(left_out_BLL, 0).sum(1) / count_B1
        # What is not seen is arbitrary, and zero times infinity is no zero.
        return (share_BL[:, None] @ x_BLD.masked_fill(~seen_BL[:, :, None], 0)).squeeze(1)


def places(length: int, width: int) -> Tensor:
    """``(L, D)`` sines of a place in even columns and cosines in odd ones (Vaswani et al., 2017), in float64."""
    column_D = torch.arange(width, dtype=torch.float64)
    rate_D = 10_000.0 ** (-(column_D - column_D % 2) / width)
    angle_LD = torch.arange(length)[:, None] * rate_D
    return torch.where(column_D % 2 == 0, angle_LD.sin(), angle_LD.cos())
