"""Hide some items that are read behind the mask token (CL4SRec, arXiv 2010.14395, item mask).

What is supervised does not change: the hidden items are still the right answers of their predecessors.

Shape legend: B rows, T positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from research.augmentation.base import Augmentation, share
from research.objectives.base import Supervised
from research.sizes import Sizes


class Mask(Augmentation):
    """Each item that is read is hidden with some probability."""

    def __init__(self, sizes: Sizes, least: int, *, rate: float = 0.2) -> None:
        """Set how much is hidden.

        Args:
            sizes: of the run.
            least: not used; nothing is taken away.
            rate: probability of hiding an item.

        Raises:
            UserError: it is not in (0, 1].
        """
        share("mask", rate=rate)
        self.token, self.rate = sizes.n_items + 1, rate

    def read(self, supervised: Supervised, random: np.random.Generator) -> Supervised:
        items_BT = supervised.batch.items_BT
        hidden_BT = torch.from_numpy(random.random(tuple(items_BT.shape), dtype=np.float32) < self.rate)
        changed_BT = items_BT.masked_fill(hidden_BT & (items_BT > 0), self.token)
        columns = supervised.batch.each(lambda codes_BT: codes_BT.masked_fill(hidden_BT, 0))
        return replace(supervised, batch=replace(supervised.batch, items_BT=changed_BT, columns=columns))
