"""Train on a random stretch of a history (CL4SRec, arXiv 2010.14395, item crop).

There it makes the two views of a contrastive loss; here the stretch is simply what is trained on in this epoch.

Shape legend: B rows, T positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from research.augmentation.base import Augmentation, share
from research.data.batch import Batch
from research.sizes import Sizes


class Crop(Augmentation):
    """With some probability a history shrinks to a contiguous part of itself."""

    def __init__(self, sizes: Sizes, least: int, *, probability: float = 0.5, ratio: float = 0.6) -> None:
        """Set how much is cut.

        Args:
            sizes: of the run.
            least: items that are left at least.
            probability: of cutting a history.
            ratio: share of its items that stays.

        Raises:
            UserError: one of the two is not in (0, 1].
        """
        share("crop", probability=probability, ratio=ratio)
        self.least, self.probability, self.ratio = least, probability, ratio

    def left(self, length: np.ndarray) -> np.ndarray:
        """Items that are left of this many."""
        return np.minimum(length, np.maximum(self.least, np.floor(self.ratio * length).astype(np.int64)))

    def history(self, batch: Batch, random: np.random.Generator) -> Batch:
        length_B = batch.length_B.numpy()
        chosen_B = random.random(len(length_B)) < self.probability
        left_B = np.where(chosen_B, self.left(length_B), length_B)
        first_B = np.floor(random.random(len(length_B)) * (length_B - left_B + 1)).astype(np.int64)
        step_T = np.arange(max(1, int(left_B.max())))
        # Behind the end the last item's time is repeated, as in every batch.
        index_BT = torch.from_numpy(first_B[:, None] + np.minimum(step_T, np.maximum(left_B - 1, 0)[:, None]))
        real_BT = torch.from_numpy(step_T < left_B[:, None])

        def of(value_BT: Tensor) -> Tensor:
            return value_BT.gather(1, index_BT)

        return replace(
            batch,
            items_BT=of(batch.items_BT) * real_BT,
            times_BT=of(batch.times_BT),
            now_BT=of(batch.now_BT),
            length_B=torch.from_numpy(left_B),
            columns=batch.each(lambda codes_BT: of(codes_BT) * real_BT),
        )

    def lengths(self, length_S: np.ndarray) -> list[tuple[float, np.ndarray]]:
        return [(self.probability, self.left(length_S)), (1 - self.probability, length_S)]
