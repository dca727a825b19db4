"""A mean in which an item's weight halves with every half-life of its age; what counts as age is left to a subclass.

::

    h_t = sum_j w_tj x_j / sum_j w_tj,   w_tj = 2^(-age_tj / half_life),   j <= t

The half-life is learned, from a start that is set. Its logarithm is the weight, so it stays above zero.

Shape legend: B rows, T positions, Q reading positions, D width. A leading 1 broadcasts over B.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, seen
from research.encoders.rows import Rows
from research.sizes import Sizes


class Decaying(Reader):
    """A subclass says how old an item is, in the unit of the half-life."""

    def __init__(self, sizes: Sizes, half_life: float, dropout: float) -> None:
        """Make the encoder; a subclass checks that ``half_life`` is above 0."""
        super().__init__()
        self.width = sizes.width
        self.log_half_life = nn.Parameter(torch.tensor(math.log(half_life)))
        self.dropout = Dropout(dropout)

    @abstractmethod
    def age(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        """``(B or 1, Q, T)`` age of each item at each reading position; negative for later items."""

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        # Later items are cut off before the power: theirs would overflow.
        life_BQT = self.age(rows, position_B).clamp(min=0) / self.log_half_life.exp()
        weight_BQT = torch.exp2(-life_BQT) * seen(rows, position_B)
        return (weight_BQT / weight_BQT.sum(2, keepdim=True)) @ x_BTD
