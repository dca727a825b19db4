"""Predict the next item at a few positions of every history, drawn anew in every epoch.

For encoders to which each position costs a pass of its own, such as ``text_history``. A history counts as often as its
positions are asked, so long ones weigh less than under ``next_item``.

Shape legend: B rows, T positions, S training spans.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.objectives.base import Supervised
from research.objectives.next_item import NextItem


class NextItemFew(NextItem):
    """At most ``positions`` of a history, each as likely as another, or always its last ones."""

    def __init__(self, mask_token: int, *, positions: int = 4, chosen: Literal["random", "last"] = "random") -> None:
        """Set how many are supervised.

        Args:
            mask_token: not used, as nothing is hidden.
            positions: of a history; all of a shorter one.
            chosen: ``random`` anew every epoch, or the ``last``, which are most like a test.

        Raises:
            UserError: no position.
        """
        if positions < 1:
            raise UserError(f"objective.positions={positions}: at least 1 position of a history is supervised.")
        super().__init__(mask_token)
        self.positions, self.chosen = positions, chosen

    def supervise(self, batch: Batch, random: np.random.Generator) -> Supervised:
        every = super().supervise(batch, random)
        next_BT = batch.items_BT[:, 1:]
        if self.chosen == "random":
            key_BT = torch.from_numpy(random.random(tuple(next_BT.shape), dtype=np.float32)).to(next_BT.device)
        else:
            key_BT = -torch.arange(next_BT.shape[1], device=next_BT.device).expand(next_BT.shape).float()
        # Those with the smallest keys; positions that no item follows come last.
        place_BT = key_BT.masked_fill(next_BT == 0, 2.0).argsort(dim=1, stable=True).argsort(dim=1)
        at = Positions.where((place_BT < self.positions) & (next_BT > 0))
        return Supervised(every.batch, at, at.of(next_BT))

    def expected(self, length_S: np.ndarray) -> np.ndarray:
        return np.minimum(super().expected(length_S), self.positions)
