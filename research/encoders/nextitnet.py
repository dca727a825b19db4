"""Causal convolutions with growing holes, after NextItNet (Yuan et al., WSDM 2019, arXiv 1808.05163).

Residual block (b) of the paper: two convolutions, the second with twice the dilation of the first, each followed by a
norm and a relu, added to what came in. The convolutions of one round have the dilations 1, 2, 4, 8, ...; rounds repeat
that. Departures: dropout on the items and on the states, where the paper has none.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class Holed(nn.Module):
    """A convolution that sees a position and ``kernel - 1`` earlier ones, ``dilation`` apart; then norm and relu."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.before = (kernel - 1) * dilation
        self.conv, self.norm = nn.Conv1d(width, width, kernel, dilation=dilation), nn.LayerNorm(width)

    def forward(self, x_BTD: Tensor) -> Tensor:
        padded = F.pad(x_BTD.transpose(1, 2), (self.before, 0))
        return F.relu(self.norm(self.conv(padded).transpose(1, 2)))


class NextItNet(Encoder):
    """``rounds`` times ``blocks`` residual blocks, then a linear layer."""

    causal: ClassVar[bool] = True

    def __init__(
        self, sizes: Sizes, *, rounds: int = 2, blocks: int = 2, kernel: int = 3, dropout: float = 0.1
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            rounds: how often the dilations begin again at 1.
            blocks: residual blocks of a round; the first has dilations 1 and 2, the second 4 and 8.
            kernel: positions that a convolution reads.
            dropout: rate on the items and on the states.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if min(rounds, blocks) < 1 or kernel < 2:
            raise UserError(f"rounds={rounds}, blocks={blocks}, kernel={kernel}: at least 1, 1 and 2.")
        self.width = width = sizes.width
        firsts = [4**block for block in range(blocks)] * rounds
        self.reach = 1 + (kernel - 1) * sum(3 * first for first in firsts)
        pairs = [nn.Sequential(Holed(width, kernel, first), Holed(width, kernel, 2 * first)) for first in firsts]
        self.blocks, self.out = nn.ModuleList(pairs), nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        h_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        for block in self.blocks:
            h_BTD = h_BTD + block(h_BTD)
        return self.out(self.dropout(h_BTD))
