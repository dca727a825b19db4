"""How the vectors of several parts become one.

    sum        sum_p v_p
    concat     W [v_1; ...; v_P]
    gate       sum_p g_p * v_p,  g = softmax over parts of G [n(v_1); ...; n(v_P)], a weight for every number
    attention  sum_p a_p v_p,    a = softmax over parts of <q, tanh(A n(v_p))>, a weight for every part

``n`` brings a vector to mean square 1: parts begin small, and a gate of such would not tell them apart. A part that
knows nothing of an item has no weight there and adds nothing; an item that no part knows is a zero.

Shape legend: U items, P parts, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST = 1e-6
"""Mean square below which a vector counts as nothing when it is brought to 1."""


class Combine(nn.Module, ABC):
    """Constructed as ``Combine(parts, width)``."""

    def __init__(self, parts: int, width: int) -> None:
        """For so many parts."""
        super().__init__()
        self.parts, self.width = parts, width

    @abstractmethod
    def forward(self, v_UPD: Tensor, known_UP: Tensor) -> Tensor:
        """``(U, D)``; the vector of a part that does not know an item is zero already."""


class Sum(Combine):
    """All the same."""

    def forward(self, v_UPD: Tensor, known_UP: Tensor) -> Tensor:
        return v_UPD.sum(dim=1)


class Concat(Combine):
    """Side by side, through one matrix."""

    def __init__(self, parts: int, width: int) -> None:
        """For so many parts."""
        super().__init__(parts, width)
        self.mix = nn.Linear(parts * width, width, bias=False)

    def forward(self, v_UPD: Tensor, known_UP: Tensor) -> Tensor:
        return self.mix(v_UPD.flatten(1))


class Gate(Combine):
    """A weight for every number of every part."""

    def __init__(self, parts: int, width: int) -> None:
        """For so many parts."""
        super().__init__(parts, width)
        self.gate = nn.Linear(parts * width, parts * width)

    def forward(self, v_UPD: Tensor, known_UP: Tensor) -> Tensor:
        score_UPD = self.gate(_level(v_UPD).flatten(1)).unflatten(1, (self.parts, self.width))
        return (_softmax(score_UPD, known_UP[:, :, None]) * v_UPD).sum(dim=1)


class Attention(Combine):
    """A weight for every part."""

    def __init__(self, parts: int, width: int) -> None:
        """For so many parts."""
        super().__init__(parts, width)
        self.look = nn.Linear(width, width)
        self.query = nn.Linear(width, 1, bias=False)

    def forward(self, v_UPD: Tensor, known_UP: Tensor) -> Tensor:
        score_UP1 = self.query(torch.tanh(self.look(_level(v_UPD))))
        return (_softmax(score_UP1, known_UP[:, :, None]) * v_UPD).sum(dim=1)


COMBINE: dict[str, type[Combine]] = {"sum": Sum, "concat": Concat, "gate": Gate, "attention": Attention}


def _level(v_UPD: Tensor) -> Tensor:
    return F.rms_norm(v_UPD, v_UPD.shape[-1:], eps=SMALLEST)


def _softmax(score: Tensor, known: Tensor) -> Tensor:
    """Over the parts that know the item; zeros where none does."""
    return score.masked_fill(~known, torch.finfo(score.dtype).min).softmax(dim=1) * known
