"""Hide items of a history and predict them from both sides (the Cloze task of BERT4Rec, arXiv 1904.06690).

Departures: masks are drawn anew every epoch instead of ten fixed copies, and every hidden item becomes the mask
token (no random or kept items, as in the authors' code).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.objectives.base import Objective, Supervised


class MaskedItem(Objective):
    """Each item is hidden with probability ``rate``; some rows hide only their last item, as a test does."""

    causal: ClassVar[bool] = False
    span: ClassVar[int] = 0
    query_room: ClassVar[int] = 1

    def __init__(self, mask_token: int, *, rate: float = 0.2, last_only: float = 0.1) -> None:
        """Set how much is hidden.

        Args:
            mask_token: the index that hides an item.
            rate: probability of hiding an item; at least one item of every row is hidden.
            last_only: share of rows whose last item alone is hidden.

        Raises:
            UserError: a probability is out of its range.
        """
        if not 0 < rate < 1 or not 0 <= last_only <= 1:
            raise UserError(
                f"objective.rate={rate}, objective.last_only={last_only}: the rate lies strictly between 0 and 1, "
                "the share of last-only rows in [0, 1]."
            )
        self.mask_token, self.rate, self.last_only = mask_token, rate, last_only

    def supervise(self, batch: Batch, random: np.random.Generator) -> Supervised:
        hidden_BT = self._draw(batch.length_B, batch.items_BT.shape[1], random) & (batch.items_BT > 0)
        at = Positions.where(hidden_BT)
        items_BT = batch.items_BT.masked_fill(hidden_BT, self.mask_token)
        # What else is known of a hidden item is hidden too, as it is in a test.
        columns = batch.each(lambda codes_BT: codes_BT.masked_fill(hidden_BT, 0))
        inputs = replace(batch, items_BT=items_BT, now_BT=batch.times_BT, columns=columns)
        return Supervised(inputs, at, at.of(batch.items_BT))

    def _draw(self, length_B: Tensor, t: int, random: np.random.Generator) -> Tensor:
        """``(B, T)`` which positions are hidden; positions behind a row's end may be set too."""
        b = len(length_B)
        draw_BT = torch.from_numpy(random.random((b, t), dtype=np.float32)).to(length_B.device)
        real_BT = torch.arange(t, device=length_B.device) < length_B[:, None]
        # The smallest draw of a row is always hidden, so no row is without a target.
        least_B = draw_BT.masked_fill(~real_BT, 2.0).argmin(dim=1)
        hidden_BT = (draw_BT < self.rate) | (torch.arange(t, device=length_B.device) == least_B[:, None])
        last_B = torch.from_numpy(random.random(b, dtype=np.float32)).to(length_B.device) < self.last_only
        is_last_BT = torch.arange(t, device=length_B.device) == (length_B - 1)[:, None]
        return torch.where(last_B[:, None], is_last_BT, hidden_BT)

    def query(self, batch: Batch, now_B: Tensor) -> tuple[Batch, Positions]:
        items_BT = F.pad(batch.items_BT, (0, 1)).scatter(1, batch.length_B[:, None], self.mask_token)
        # As a position of the row the mask has the last real time, so that windows end where the history does.
        times_BT = torch.cat([batch.times_BT, batch.times_BT[:, -1:]], dim=1)
        now_BT = times_BT.scatter(1, batch.length_B[:, None], now_B[:, None])
        columns = batch.each(lambda codes_BT: F.pad(codes_BT, (0, 1)))
        length_B = batch.length_B + 1
        asked = replace(batch, items_BT=items_BT, times_BT=times_BT, now_BT=now_BT, length_B=length_B, columns=columns)
        return asked, Positions.last(asked.length_B)

    def expected(self, length_S: np.ndarray) -> np.ndarray:
        # At least one a row: with probability (1 - rate)^length nothing falls below the rate.
        several = length_S * self.rate + (1 - self.rate) ** length_S
        return self.last_only + (1 - self.last_only) * several
