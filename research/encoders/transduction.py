"""The layer of HSTU (Zhai et al., ICML 2024, arXiv 2402.17152): attention without softmax, gated, and nothing after it.

::

    u, v, q, k = silu(W norm(x))
    a_ts = silu(q_t . k_s + bias(t - s) + bias(time between)) / (t + 1),   s <= t
    y = x + W' dropout(norm(sum_s a_ts v_s) * u)

Both norms are without weights, as in the authors' code. Departures: the sum is divided by the number of visible
positions instead of the padded length of a row, so that a state is the same in any company (the norm behind it takes
most of the scale out again); W' is shared by all heads, as in the code.

Shape legend: B rows, T positions, Q reading positions, N asked positions, D width, H heads, E = D / H.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.dropout import Dropout
from research.encoders.layer import Layer, one_a_row
from research.encoders.relative import RelativeBias
from research.encoders.rows import take
from research.errors import UserError


class Transduction(Layer):
    """Is told the bucket of the time between each two positions, or nothing."""

    def __init__(self, width: int, heads: int, dropout: float, max_length: int, *, timed: bool) -> None:
        """Make the layers.

        Args:
            width: D.
            heads: H, must divide the width.
            dropout: rate before the closing product.
            max_length: longest row.
            timed: whether the bias knows of time.

        Raises:
            UserError: the heads do not divide the width.
        """
        super().__init__()
        if heads < 1 or width % heads:
            raise UserError(
                f"heads={heads} does not divide width={width}; choose heads from the divisors of the width."
            )
        self.heads = heads
        self.norm_in, self.norm_out = (nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.uvqk, self.out = nn.Linear(width, 4 * width, bias=False), nn.Linear(width, width)
        self.bias = RelativeBias(max_length, timed=timed)
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, told: Tensor | None = None) -> Tensor:
        u_BTD, v_BTD, q_BTD, k_BTD = F.silu(self.uvqk(self.norm_in(x_BTD))).chunk(4, dim=2)
        return self._read(x_BTD, u_BTD, q_BTD, k_BTD, v_BTD, self.bias(x_BTD.shape[1], told))

    def asked(self, x_BTD: Tensor, at: Positions, told: Tensor | None = None) -> Tensor:
        b, t, _ = x_BTD.shape
        if not one_a_row(at, b):
            return take(self(x_BTD, told), at.row_N * t + at.position_N)
        u_BTD, v_BTD, q_BTD, k_BTD = F.silu(self.uvqk(self.norm_in(x_BTD))).chunk(4, dim=2)
        x_BQD, u_BQD, q_BQD = (at.of(z)[:, None] for z in (x_BTD, u_BTD, q_BTD))
        bias_BTT = self.bias(t, told)[:, 0].expand(b, -1, -1)
        return self._read(x_BQD, u_BQD, q_BQD, k_BTD, v_BTD, at.of(bias_BTT)[:, None, None]).squeeze(1)

    def _read(
        self, x_BQD: Tensor, u_BQD: Tensor, q_BQD: Tensor, k_BTD: Tensor, v_BTD: Tensor, bias_B1QT: Tensor
    ) -> Tensor:
        q_BHQE, k_BHTE, v_BHTE = (z.unflatten(2, (self.heads, -1)).transpose(1, 2) for z in (q_BQD, k_BTD, v_BTD))
        seen_B1QT = bias_B1QT > -torch.inf
        score_BHQT = q_BHQE @ k_BHTE.transpose(2, 3) + bias_B1QT.masked_fill(~seen_B1QT, 0.0)
        weight_BHQT = F.silu(score_BHQT) * (seen_B1QT / seen_B1QT.sum(3, keepdim=True))
        a_BQD = (weight_BHQT @ v_BHTE).transpose(1, 2).flatten(2)
        return x_BQD + self.out(self.dropout(self.norm_out(a_BQD) * u_BQD))
