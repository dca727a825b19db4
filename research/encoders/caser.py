"""Convolutions over the latest items as an image, after Caser (Tang and Wang, WSDM 2018, arXiv 1809.07426).

The last L items are an L x D image. Horizontal filters are h items high and D wide, h = 1 ... L; each keeps its
maximum over the image. Vertical filters are L high and 1 wide: weighted sums of the items::

    z = relu(W [ vertical sums ; max over places of relu(horizontal filters) ] + b)

The filters of all images of a row are one convolution along the row; an image that begins before the row has zeros
there. The paper scores [z; user vector]: that is ``user`` in the other view and a concatenation.
Departure: the next item is the only target of a position (the paper also skips ahead).

Shape legend: B rows, T positions, L items of an image, P = T + L - 1 padded positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class Caser(Encoder):
    """Horizontal and vertical filters over the last ``items`` items of the view."""

    causal: ClassVar[bool] = True

    def __init__(
        self, sizes: Sizes, *, items: int = 5, horizontal: int = 16, vertical: int = 4, dropout: float = 0.1
    ) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            items: L.
            horizontal: filters of each height.
            vertical: filters over all L items.
            dropout: rate on what the filters found.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if min(items, horizontal, vertical) < 1:
            raise UserError(f"items={items}, horizontal={horizontal}, vertical={vertical}: each at least 1.")
        self.width, self.reach = sizes.width, items
        heights = range(1, items + 1)
        self.horizontal = nn.ModuleList([nn.Conv1d(sizes.width, horizontal, height) for height in heights])
        self.vertical = nn.Conv2d(1, vertical, (items, 1))
        self.out = nn.Linear(vertical * sizes.width + horizontal * items, sizes.width)
        self.dropout = Dropout(dropout)

    def encode(self, rows: Rows) -> Tensor:
        items, t = len(self.horizontal), rows.shape[1]
        padded_BPD = F.pad(rows.x_BTD * self.width**0.5, (0, 0, items - 1, 0))
        found = [self.vertical(padded_BPD[:, None]).permute(0, 2, 1, 3).flatten(2)]
        for height, conv in enumerate(self.horizontal, start=1):
            strength = F.relu(conv(padded_BPD.transpose(1, 2)))
            found.append(F.max_pool1d(strength, items - height + 1, stride=1).transpose(1, 2))
        assert all(x.shape[1] == t for x in found)
        return F.relu(self.out(self.dropout(torch.cat(found, dim=2))))
