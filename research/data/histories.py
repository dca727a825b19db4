"""Every user's history in one place: compressed rows of integers, nothing per interaction is a Python object.

Shape legend: U users, N interactions of all users together, I items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Histories:
    """Interactions sorted by user, then time; equal times keep the order of the source file.

    Attributes:
        name: the dataset's name, as in ``data=NAME``.
        offsets: ``(U + 1,)`` int64; the history of user ``u`` is ``[offsets[u], offsets[u + 1])``.
        items: ``(N,)`` int32, item indices from 1 to ``n_items``; 0 is padding and never occurs.
        times: ``(N,)`` int64, seconds since 1970 UTC; zeros when the source has only an order.
        n_items: catalogue size ``I``.
        has_times: whether ``times`` are real; windows in minutes or days need them.
        user_ids: ``(U,)`` the source's own user names, in index order.
        item_ids: ``(I,)`` the source's own item names; ``item_ids[i - 1]`` names item ``i``.
        digest: SHA-256 over the arrays above, the data part of a run's identity.
        titles: ``(I,)`` item titles where the source has them, else ``None``.
    """

    name: str
    offsets: np.ndarray
    items: np.ndarray
    times: np.ndarray
    n_items: int
    has_times: bool
    user_ids: np.ndarray
    item_ids: np.ndarray
    digest: str
    titles: np.ndarray | None = None

    @property
    def n_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """``(U,)`` interactions of each user."""
        return np.diff(self.offsets)
