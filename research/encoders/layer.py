"""What a stack is made of: a layer that can compute every state, or only those that are asked for.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from research.data.batch import Positions


class Layer(nn.Module, ABC):
    """The second argument is what the stack tells its layers of the rows, such as which positions are visible."""

    @abstractmethod
    def forward(self, x_BTD: Tensor, told: Tensor | None = None) -> Tensor:
        """``(B, T, D)``: every state."""

    @abstractmethod
    def asked(self, x_BTD: Tensor, at: Positions, told: Tensor | None = None) -> Tensor:
        """``(N, D)``: what ``forward`` gives at the asked positions, computing the others only where it must."""


def one_a_row(at: Positions, n_rows: int) -> bool:
    """Whether each row is asked for exactly one state, as in a test."""
    return len(at) == n_rows and torch.equal(at.row_N, torch.arange(n_rows, device=at.row_N.device))
