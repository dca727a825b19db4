"""Every user's history in one place: compressed rows of integers, nothing per interaction is a Python object.

Shape legend: U users, N interactions of all users together, I items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from research.data.columns import Feature


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
        columns: what else the source says of each interaction, by name, such as ``scenario``, ``behaviour`` or
            ``session``: ``(N,)`` codes from 1, 0 where it is unknown.
        vocabularies: for each column ``(V,)`` strings; ``vocabularies[name][c - 1]`` is what code ``c`` means.
        item_features: what the source says of items, such as ``genre``; row ``i - 1`` is item ``i``.
        user_features: what it says of users, in index order.
        columns_digest: SHA-256 over columns and features; empty where there are none.
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
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    vocabularies: Mapping[str, np.ndarray] = field(default_factory=dict)
    item_features: Mapping[str, Feature] = field(default_factory=dict)
    user_features: Mapping[str, Feature] = field(default_factory=dict)
    columns_digest: str = ""

    @property
    def n_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """``(U,)`` interactions of each user."""
        return np.diff(self.offsets)

    def words(self, column: str, positions: np.ndarray) -> np.ndarray | None:
        """What a carried column says of some interactions, ``""`` where it is unknown; ``None`` without the column."""
        if column not in self.columns:
            return None
        names = np.concatenate([[""], self.vocabularies[column]])
        return names[self.columns[column][positions].astype(np.int64)]
