"""What the parts of an item table share; a subclass says only what the vector of an item is.

Each item that is asked for is computed once, however often it stands in a batch: vectors of the distinct ones are made,
then looked up. They are no rows of a parameter, so the gradient goes through them by plain autograd.

Shape legend: I items, U distinct rows of the catalogue, D width.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.items.base import ItemTable
from research.sizes import Sizes


class Part(ItemTable):
    """A table on its own, and one of several in a combined table."""

    here: Tensor

    def __init__(self, sizes: Sizes, *, std: float = 0.02) -> None:
        """Make what hides an item.

        Args:
            sizes: of the run.
            std: standard deviation of its initial values.
        """
        super().__init__()
        self.n_items, self.width = sizes.n_items, sizes.width
        # Without moving the stream: ids begin in a combination as they do alone.
        with torch.random.fork_rng(devices=[]):
            self.mask_D: nn.Parameter | None = nn.Parameter(torch.randn(sizes.width) * std)
        self.register_buffer("here", torch.empty(0), persistent=False)  # tells the device, with parameters or without

    @abstractmethod
    def rows(self, row_U: Tensor) -> Tensor:
        """``(U, D)`` vectors of some rows of the catalogue, from 0."""

    def forward(self, items: Tensor) -> Tensor:
        own_U, place = items.unique(return_inverse=True)
        real_U1 = ((own_U > 0) & (own_U <= self.n_items))[:, None]
        x_UD = self.rows(own_U.clamp(1, self.n_items) - 1)
        other_UD = torch.zeros_like(x_UD)  # padding
        if self.mask_D is not None:
            other_UD = self.mask_D.to(x_UD) * (own_U == self.mask_token)[:, None]
        return F.embedding(place, torch.where(real_U1, x_UD, other_UD))

    def candidates(self) -> Tensor:
        return self.rows(torch.arange(self.n_items, device=self.here.device))

    def candidates_of(self, row: Tensor) -> Tensor:
        own_U, place = row.unique(return_inverse=True)
        return F.embedding(place, self.rows(own_U))

    def without_mask(self) -> None:
        """Give up the vector that hides an item: what the part stands in has one of its own."""
        self.mask_D = None
