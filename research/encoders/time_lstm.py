"""Time4LSTM, the short-term side of SLi-Rec (Yu et al., IJCAI 2019), as in its authors' code.

Two gates of time stand beside those of an LSTM. With s the logistic function, p and q logarithms of days, at least .5::

    p' = tanh(w1 p + b1)   q' = tanh(w2 q + b2)
    P = s(x U1 + p' V1 + d1)   Q = s(x U2 + q' V2 + d2)
    c = s(f + 1) Q c' + s(i) P tanh(j)
    h = s(o + p' W1 + q' W2) tanh(c)             i, j, f, o linear in x and h'

q is the time since the first interaction of the view. Departure: p is the time since the interaction before; in the
paper it is the time until the moment for which is asked, which would make a history of its own of every position.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.sizes import Sizes

DAY = 86_400
"""Seconds."""


def log_days(second_BT: Tensor) -> Tensor:
    """Logarithm of a time in days, half a day at least."""
    return (second_BT.double() / DAY).clamp(min=0.5).log()


class TimeLSTM(Encoder):
    """A step costs one small product: all that does not depend on the state before is computed at once."""

    causal: ClassVar[bool] = True
    needs_times: ClassVar[bool] = True
    takes_initial: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            dropout: rate on the items and on the states.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = width = sizes.width
        self.dropout = Dropout(dropout)
        self.token = nn.Linear(width, 6 * width)  # to i, j, f, o, P, Q
        self.state = nn.Linear(width, 4 * width, bias=False)  # to i, j, f, o
        self.gap, self.since = nn.Linear(1, width), nn.Linear(1, width)  # p' and q'
        self.gap_to, self.since_to = (nn.Linear(width, 2 * width, bias=False) for _ in range(2))  # to o, and P or Q

    def encode(self, rows: Rows) -> Tensor:
        assert rows.times_BT is not None
        time_BT = rows.times_BT
        gap_BT = log_days(F.pad(time_BT.diff(dim=1), (1, 0))).to(rows.x_BTD.dtype)
        since_BT = log_days(time_BT - time_BT[:, :1]).to(rows.x_BTD.dtype)
        o_gap_BTD, p_BTD = self.gap_to(torch.tanh(self.gap(gap_BT[:, :, None]))).chunk(2, dim=2)
        o_since_BTD, q_BTD = self.since_to(torch.tanh(self.since(since_BT[:, :, None]))).chunk(2, dim=2)
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        i, j, f, o, p, q = self.token(x_BTD).chunk(6, dim=2)
        ready = torch.cat([i, j, f + 1, o + o_gap_BTD + o_since_BTD], dim=2)
        return self.dropout(self._run(ready, torch.sigmoid(p + p_BTD), torch.sigmoid(q + q_BTD), rows.initial_BD))

    def _run(self, ready: Tensor, p_BTD: Tensor, q_BTD: Tensor, initial_BD: Tensor | None) -> Tensor:
        c_BD = torch.zeros_like(p_BTD[:, 0])
        h_BD = c_BD if initial_BD is None else initial_BD
        found = []
        for ready_t, p_BD, q_BD in zip(ready.unbind(1), p_BTD.unbind(1), q_BTD.unbind(1), strict=True):
            i, j, f, o = (ready_t + self.state(h_BD)).chunk(4, dim=1)
            c_BD = torch.sigmoid(f) * q_BD * c_BD + torch.sigmoid(i) * p_BD * torch.tanh(j)
            h_BD = torch.sigmoid(o) * torch.tanh(c_BD)
            found.append(h_BD)
        return torch.stack(found, dim=1)
