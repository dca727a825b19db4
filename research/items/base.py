"""What an item is to a model: a vector to read and a vector to score.

Shape legend: I items, U asked rows, D width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class ItemTable(nn.Module, ABC):
    """Constructed as ``ItemTable(sizes, content, *, ...)``; keyword arguments are its configuration.

    ``content`` is what the data say of the items (`research.items.content.Content`), and ``None`` where only sizes are
    known: then a table is of the same shapes, and holds nothing.
    """

    n_items: int
    sparse: bool = False
    """Whether gradients hold looked-up rows only; then nothing that trains may ask for all candidates."""

    @property
    def mask_token(self) -> int:
        """The index that hides an item: one behind the catalogue."""
        return self.n_items + 1

    @abstractmethod
    def forward(self, items: Tensor) -> Tensor:
        """Vectors of items ``(...) -> (..., D)``; 0 is padding, ``mask_token`` hides an item."""

    @abstractmethod
    def candidates(self) -> Tensor:
        """``(I, D)`` vectors that an interest is scored against by a dot product; row ``i`` is item ``i + 1``."""

    def matrix(self) -> tuple[Tensor, int]:
        """``(V, D)`` and the row of the first candidate in it; ``candidates()`` follow each other from there.

        For a loss that forms the gradient itself: a table that scores with rows of a parameter gives the parameter.
        """
        return self.candidates(), 0

    def candidates_of(self, row: Tensor) -> Tensor:
        """The same for some rows only, ``(...) -> (..., D)``; for a table that scores with other vectors than it reads,
        this is to be overridden too."""
        return self(row + 1)

    def known(self, row_U: Tensor) -> Tensor | None:
        """``(U,)`` whether the table has anything to say of these rows of the catalogue; ``None``: of all of them.

        Where several tables are combined, one that knows nothing of an item has no part in its vector.
        """
        return None
