"""Put random items between those that are read: clicks by mistake, a visitor at the keyboard.

What is supervised does not change: no noise is ever a right answer, and an item's successor is still the real one. A
noise item has the time of the one before it, and the carried columns too. A row that already has the model's longest
length has no room and stays as it is; with augmentation=[crop,insert] there is room in some epochs.

Shape legend: B rows, T positions, M noise items of a row at most, N supervised positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from research.augmentation.base import Augmentation, share
from research.data.batch import Positions
from research.objectives.base import Supervised
from research.sizes import Sizes


class Insert(Augmentation):
    """With some probability a history gets noise, a share of its own length."""

    def __init__(self, sizes: Sizes, least: int, *, probability: float = 0.5, ratio: float = 0.2) -> None:
        """Set how much noise there is.

        Args:
            sizes: of the run.
            least: not used; nothing is taken away.
            probability: of noise in a history.
            ratio: noise items for each real one, rounded down.

        Raises:
            UserError: one of the two is not in (0, 1].
        """
        share("insert", probability=probability, ratio=ratio)
        self.n_items, self.longest = sizes.n_items, sizes.max_length
        self.probability, self.ratio = probability, ratio

    def read(self, supervised: Supervised, random: np.random.Generator) -> Supervised:
        batch, at = supervised.batch, supervised.at
        length_B, (b, t) = batch.length_B.numpy(), batch.items_BT.shape
        wanted_B = np.where(random.random(b) < self.probability, np.floor(self.ratio * length_B), 0).astype(np.int64)
        noise_B = np.minimum(wanted_B, np.maximum(self.longest - length_B, 0))
        m = max(1, int(noise_B.max()))
        # Each noise item stands behind a random real one.
        behind_BM = np.floor(random.random((b, m)) * length_B[:, None]).astype(np.int64)
        count_BT = np.zeros((b, t), dtype=np.int64)
        real_BM = np.arange(m) < noise_B[:, None]
        np.add.at(count_BT, (np.nonzero(real_BM)[0], behind_BM[real_BM]), 1)
        place_BT = np.arange(t) + count_BT.cumsum(1) - count_BT

        new_length_B = length_B + noise_B
        wide = max(1, int(new_length_B.max()))
        begins_BT = np.zeros((b, wide), dtype=np.int64)
        row, old = np.nonzero(np.arange(t) < length_B[:, None])
        begins_BT[row, place_BT[row, old]] = 1
        # The real item that each new place holds or follows; behind the end it stays the last one.
        source_BT = torch.from_numpy(np.maximum(begins_BT.cumsum(1) - 1, 0))
        items_BT = batch.items_BT.gather(1, source_BT)
        noise_BT = torch.from_numpy(random.integers(1, self.n_items + 1, size=(b, wide)))
        items_BT = torch.where(torch.from_numpy(begins_BT == 1), items_BT, noise_BT)
        real_BT = torch.from_numpy(np.arange(wide) < new_length_B[:, None])
        items_BT *= real_BT
        changed = replace(
            batch,
            items_BT=items_BT,
            times_BT=batch.times_BT.gather(1, source_BT),
            now_BT=batch.now_BT.gather(1, source_BT),
            length_B=torch.from_numpy(new_length_B),
            columns=batch.each(lambda codes_BT: codes_BT.gather(1, source_BT) * real_BT),
        )
        return replace(supervised, batch=changed, at=Positions(at.row_N, at.of(torch.from_numpy(place_BT))))
