"""Encoders whose state reads all earlier items at once, as a weighted sum does, and needs no other state for it.

So the state of one position costs one sum, and a test, which asks for one state a row, computes no other.

Shape legend: B rows, T positions, Q read positions of each row (all T, or 1), D width. A leading 1 broadcasts over B.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.layer import one_a_row
from research.encoders.rows import Rows


class Reader(Encoder):
    """A subclass writes ``read``."""

    causal: ClassVar[bool] = True

    @abstractmethod
    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        """States as a reader of everything up to a position.

        Args:
            rows: whole histories or windows.
            position_B: the one position of each row that reads; ``None`` is every position.

        Returns:
            ``(B, Q, D)``.
        """

    def encode(self, rows: Rows) -> Tensor:
        return self.read(rows, None)

    def states(self, rows: Rows, at: Positions) -> Tensor:
        if one_a_row(at, rows.shape[0]):
            return self.read(rows, at.position_N).squeeze(1)
        return super().states(rows, at)


def pick(value_BTX: Tensor, position_B: Tensor | None) -> Tensor:
    """``(B, Q, ...)`` values at the reading positions."""
    if position_B is None:
        return value_BTX
    return value_BTX[torch.arange(len(position_B), device=position_B.device), position_B][:, None]


def seen(rows: Rows, position_B: Tensor | None) -> Tensor:
    """``(B or 1, Q, T)``: which positions each reader sees."""
    step_T = torch.arange(rows.shape[1], device=rows.x_BTD.device)
    return step_T <= (step_T[None, :, None] if position_B is None else position_B[:, None, None])
