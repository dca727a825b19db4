"""Shuffle a random stretch of a history (CL4SRec, arXiv 2010.14395, item reorder).

The order within an evening is often chance. Times stay where they are, so they still do not fall along a row.

Shape legend: B rows, T positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from research.augmentation.base import Augmentation, share
from research.data.batch import Batch
from research.sizes import Sizes


class Reorder(Augmentation):
    """With some probability the items of a contiguous part change places among themselves."""

    def __init__(self, sizes: Sizes, least: int, *, probability: float = 0.5, ratio: float = 0.2) -> None:
        """Set how much is shuffled.

        Args:
            sizes: of the run.
            least: not used; nothing is taken away.
            probability: of shuffling in a history.
            ratio: share of its items that is shuffled.

        Raises:
            UserError: one of the two is not in (0, 1].
        """
        share("reorder", probability=probability, ratio=ratio)
        self.probability, self.ratio = probability, ratio

    def history(self, batch: Batch, random: np.random.Generator) -> Batch:
        length_B, (b, t) = batch.length_B.numpy(), batch.items_BT.shape
        chosen_B = random.random(b) < self.probability
        size_B = np.where(chosen_B, np.floor(self.ratio * length_B), 0).astype(np.int64)
        first_B = np.floor(random.random(b) * (length_B - size_B + 1)).astype(np.int64)
        step_T = np.arange(t)
        inside_BT = (step_T >= first_B[:, None]) & (step_T < (first_B + size_B)[:, None])
        # A key lies in the half-open range of the stretch's own places, so only those change among themselves.
        key_BT = np.where(inside_BT, first_B[:, None] + random.random((b, t)) * size_B[:, None], step_T)
        order_BT = torch.from_numpy(np.argsort(key_BT, axis=1, kind="stable"))
        columns = batch.each(lambda codes_BT: codes_BT.gather(1, order_BT))
        return replace(batch, items_BT=batch.items_BT.gather(1, order_BT), columns=columns)
