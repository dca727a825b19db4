"""Predict every next item of a history in one pass (SASRec's shifted sequence)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from torch import Tensor

from research.data.batch import Batch, Positions
from research.objectives.base import Objective, Supervised


class NextItem(Objective):
    """Position t reads items up to t and is asked for item t + 1; all positions are supervised."""

    causal: ClassVar[bool] = True
    span: ClassVar[int] = 1
    query_room: ClassVar[int] = 0

    def __init__(self, mask_token: int) -> None:
        """Nothing is hidden, so the token is not used."""

    def supervise(self, batch: Batch, random: np.random.Generator) -> Supervised:
        # An item behind the end is 0 in both, so a row's last item supervises nothing.
        next_BT = batch.items_BT[:, 1:]
        at = Positions.where(next_BT > 0)
        inputs = replace(
            batch,
            items_BT=batch.items_BT[:, :-1],
            times_BT=batch.times_BT[:, :-1],
            now_BT=batch.now_BT[:, :-1],
            length_B=(batch.length_B - 1).clamp(min=1),
            columns=batch.each(lambda codes_BT: codes_BT[:, :-1]),
        )
        return Supervised(inputs, at, at.of(next_BT))

    def query(self, batch: Batch, now_B: Tensor) -> tuple[Batch, Positions]:
        now_BT = batch.now_BT.scatter(1, batch.length_B[:, None] - 1, now_B[:, None])
        return replace(batch, now_BT=now_BT), Positions.last(batch.length_B)

    def expected(self, length_S: np.ndarray) -> np.ndarray:
        return length_S - 1
