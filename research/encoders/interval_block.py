"""The block of TiSASRec (Li, Wang, McAuley, WSDM 2020): attention that knows places and time intervals as vectors.

A state reads, beside each earlier item, where that item stands and how long before it was::

    e_ts = q_t . (k_s + K[s] + K'[r_ts]) / sqrt(E)
    z_t  = sum_s softmax(e_t)_s (v_s + V[s] + V'[r_ts]),              s <= t
    r_ts = min(longest, floor((time_t - time_s) / unit_t))

Intervals are personal: ``unit_t`` is the user's smallest pause above 0. The paper takes it over the whole history, and
its code over the test items too. In training an early position would then know how close together its user's later
interactions come. Here it is the smallest pause up to position t, within the view. At the end of a row, which is where
a test asks, that is the smallest pause of all that is known: the paper's unit. A fixed unit of seconds would be honest
too, but one for hasty and slow users alike, which is what the paper sets out to avoid. Before the first pause every
interval is 0.

The vectors of pairs, a tensor (B, T, T, D), are never made: a query meets each interval's vector once, and weights are
added up by interval before they meet the values. Nothing is projected behind the attention, as in the paper.

Departures: pre-norm residuals ``x + f(norm(x))``, as in the paper's formulas (its code normalises the query and adds it
back normalised); no dropout on attention weights and on the vectors of places and intervals.

Shape legend: B rows, T positions, Q reading positions of each row (all T, or 1), D width, H heads, E = D / H, R
intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.dropout import Dropout
from research.encoders.reader import pick
from research.errors import UserError


def intervals(times_BT: Tensor, longest: int) -> Tensor:
    """``(B, T, T)`` what position t sees between itself and position s, in units of its own; 0 where s is later."""
    none = torch.iinfo(times_BT.dtype).max
    pause_BT = times_BT.diff(dim=1, prepend=times_BT[:, :1])
    unit_BT = pause_BT.masked_fill(pause_BT <= 0, none).cummin(dim=1).values
    second_BTT = (times_BT[:, :, None] - times_BT[:, None]).clamp(min=0)
    return torch.div(second_BTT, unit_BT[:, :, None], rounding_mode="floor").clamp(max=longest)


@dataclass(frozen=True)
class Relations:
    """What readers know of the positions that they see, beside the items there: for every block the same."""

    interval_BQT: Tensor
    seen_BQT: Tensor
    place_TD: tuple[Tensor, Tensor]
    """Vectors of places, for keys and for values."""
    interval_RD: tuple[Tensor, Tensor]
    """Vectors of intervals, likewise."""


class IntervalBlock(nn.Module):
    """``x + dropout(attention(norm(x)))``, then ``x + dropout(feed_forward(norm(x)))``."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        """Make the layers.

        Raises:
            UserError: the heads do not divide the width, or ``inner`` is below 1.
        """
        super().__init__()
        if inner < 1:
            raise UserError(f"inner={inner}: a feed-forward layer is at least 1 wide, or null for its default.")
        if heads < 1 or width % heads:
            raise UserError(
                f"heads={heads} does not divide width={width}; choose heads from the divisors of the width."
            )
        self.heads = heads
        self.norm_attention, self.norm_inner = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would raise all scores of a reader alike
        self.inner, self.outer = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, known: Relations, position_B: Tensor | None) -> Tensor:
        """``(B, Q, D)``: states of the readers that ``known`` speaks of, which stand at ``position_B``."""
        h_BTD = self.norm_attention(x_BTD)
        x_BQD = self.dropout.add(pick(x_BTD, position_B), self._attend(pick(h_BTD, position_B), h_BTD, known))
        inner = self.dropout(F.relu(self.inner(self.norm_inner(x_BQD))))
        return self.dropout.add(x_BQD, self.outer(inner))

    def _attend(self, h_BQD: Tensor, h_BTD: Tensor, known: Relations) -> Tensor:
        q_BHQE = self._split(self.query(h_BQD))
        k_BHTE = self._split(self.key(h_BTD) + known.place_TD[0])
        v_BHTE = self._split(self.value(h_BTD) + known.place_TD[1])
        k_HRE, v_HRE = (x.unflatten(1, (self.heads, -1)).transpose(0, 1) for x in known.interval_RD)
        interval_BHQT = known.interval_BQT[:, None].expand(-1, self.heads, -1, -1)
        of_interval_BHQR = q_BHQE @ k_HRE.transpose(1, 2)
        score_BHQT = q_BHQE @ k_BHTE.transpose(2, 3) + of_interval_BHQR.gather(3, interval_BHQT)
        score_BHQT = (score_BHQT * q_BHQE.shape[3] ** -0.5).masked_fill(~known.seen_BQT[:, None], -torch.inf)
        weight_BHQT = score_BHQT.softmax(dim=3)
        weight_BHQR = torch.zeros_like(of_interval_BHQR).scatter_add(3, interval_BHQT, weight_BHQT)
        return (weight_BHQT @ v_BHTE + weight_BHQR @ v_HRE).transpose(1, 2).flatten(2)

    def _split(self, x_BTD: Tensor) -> Tensor:
        return x_BTD.unflatten(2, (self.heads, -1)).transpose(1, 2)
