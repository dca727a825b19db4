"""Attention over the two states: a query decides which branch it trusts at each position."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from research.fusion.base import Fused, StateFusion
from research.sizes import Sizes


class _LearnedQuery(nn.Module):
    """The same query everywhere, in the place of a projection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.randn(width) * width**-0.5)

    def forward(self, short_ND: Tensor) -> Tensor:
        return self.vector.expand_as(short_ND)


class Attention(StateFusion):
    """``weight = softmax(q . K state / sqrt(D))`` over the branches, ``interest = sum weight * state``.

    The query is one learned vector, or a projection of the short-term state: what the user does now asks which of
    the two views explains it.
    """

    weighs: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, query: Literal["learned", "short"] = "short") -> None:
        """Make the attention.

        Args:
            sizes: of the run.
            query: where the query comes from.
        """
        super().__init__()
        width = sizes.width
        self.key = nn.Linear(width, width, bias=False)
        self.query = nn.Linear(width, width, bias=False) if query == "short" else _LearnedQuery(width)

    def fuse(self, long_ND: Tensor, short_ND: Tensor) -> Fused:
        state_N2D = torch.stack([long_ND, short_ND], dim=1)
        score_N2 = (self.key(state_N2D) * self.query(short_ND)[:, None]).sum(-1) * long_ND.shape[-1] ** -0.5
        weight_N2 = score_N2.softmax(dim=1)
        return Fused((weight_N2[..., None] * state_N2D).sum(dim=1), weight_N2)
