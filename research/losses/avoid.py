"""Which items are never drawn as negatives of a user; what was drawn wrongly is drawn again.

``training`` leaves out the user's training items, as SASRec's code does. ``whole`` leaves out the whole history, the
validation and the test item among it, as S3-Rec's does: the test item is then never pushed down for its own user, a
leak in the model's favour. It stands here so that published tables can be met, and the record says so.

Shape legend: N supervised positions, K negatives, P pairs of user and item.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from research.data.histories import Histories
from research.data.split import Spans
from research.errors import UserError

TRIES = 200
"""Who has seen nine tenths of the catalogue draws wrongly that often once in a billion."""


class Avoid(nn.Module):
    """Constructed as ``Avoid(histories, train, *, items)``."""

    pair_P: Tensor

    def __init__(self, histories: Histories, train: Spans, *, items: Literal["training", "whole"]) -> None:
        """Note the pairs of user and item.

        Args:
            histories: the dataset.
            train: what is trained on.
            items: which of a user's items are not drawn.
        """
        super().__init__()
        if items == "whole":
            user_N, item_N = np.repeat(np.arange(histories.n_users), histories.lengths), histories.items
        else:
            user_N, item_N = np.repeat(train.user, train.length), histories.items[train.positions]
        self.n_items = histories.n_items
        pairs = np.unique(user_N.astype(np.int64) * self.n_items + item_N - 1)
        # Derived from the data, so it is no part of a checkpoint.
        self.register_buffer("pair_P", torch.from_numpy(pairs), persistent=False)

    def forbids(self, user_M: Tensor, row_M: Tensor) -> Tensor:
        """Whether each item (catalogue row) belongs to its user, elementwise."""
        pair_M = user_M * self.n_items + row_M
        place_M = torch.searchsorted(self.pair_P, pair_M).clamp(max=len(self.pair_P) - 1)
        return self.pair_P[place_M] == pair_M

    def forward(self, row_NK: Tensor, user_N: Tensor, draw: Callable[[int], Tensor]) -> Tensor:
        """The drawn rows without forbidden ones.

        Args:
            row_NK: what was drawn for each position.
            user_N: whose position it is.
            draw: draws so many rows more.

        Raises:
            UserError: somebody's items are nearly all that can be drawn.
        """
        row_NK, user_NK = row_NK.clone(), user_N[:, None].expand_as(row_NK)
        for _ in range(TRIES):
            wrong_NK = self.forbids(user_NK, row_NK)
            count = int(wrong_NK.sum())
            if not count:
                return row_NK
            row_NK[wrong_NK] = draw(count)
        raise UserError(
            "A user has nearly every item that can be drawn, so there is nothing left to draw as a negative. "
            "Use avoid=null, or loss=cross_entropy."
        )
