"""Additive attention scores ``out . sigmoid(key_j + query_t)``, as NARM and STAMP weigh items: no softmax follows.

Every pair of positions has a hidden vector of its own. For a batch of long rows these do not fit into memory, so a
block of rows is done at a time and done again in the backward pass.

Shape legend: B rows, T positions, Q reading positions, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

BLOCK = 1 << 22
"""Hidden values of a block: 16 MB."""


class Additive(nn.Module):
    """The key's weights and the output's; a query comes as it is added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, 1, bias=False)

    def forward(self, query_BQD: Tensor, value_BTD: Tensor) -> Tensor:
        """``(B, Q, T)`` scores of every value for every query."""
        key_BTD = self.key(value_BTD)
        n = max(1, BLOCK // (query_BQD.shape[1] * key_BTD[0].numel()))
        blocks = zip(query_BQD.split(n), key_BTD.split(n), strict=True)
        return torch.cat([self._block(query, key) for query, key in blocks])

    def _block(self, query_RQD: Tensor, key_RTD: Tensor) -> Tensor:
        found = checkpoint(self._score, query_RQD, key_RTD, use_reentrant=False, preserve_rng_state=False)
        assert isinstance(found, Tensor)
        return found

    def _score(self, query_RQD: Tensor, key_RTD: Tensor) -> Tensor:
        return self.out(torch.sigmoid(key_RTD[:, None] + query_RQD[:, :, None])).squeeze(3)
