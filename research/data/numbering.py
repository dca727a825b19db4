"""Ids of a source as numbers from 0, in the order of their first appearance; ids come block by block.

Memory grows with the number of distinct ids, never with the number of rows.

Shape legend: n rows of a block, K distinct ids so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

_AT_ONCE = 1_000_000  # ids that are Python strings at a time


class Numbering:
    """Gives every new id the next number."""

    def __init__(self) -> None:
        self._known: pl.DataFrame | None = None

    def __len__(self) -> int:
        return 0 if self._known is None else len(self._known)

    def codes(self, ids: pl.Series) -> np.ndarray:
        """``(n,)`` int32 numbers of a block's ids; none may be null, and all blocks have one type."""
        import polars as pl

        rows = ids.alias("id").to_frame()
        if self._known is None:
            self._known = rows.clear().with_columns(code=pl.lit(None, dtype=pl.Int32))
        found = rows.join(self._known, on="id", how="left", maintain_order="left")["code"]
        unknown = found.is_null()
        if not unknown.any():
            return found.to_numpy()
        absent = rows.filter(unknown)
        new = absent.unique(maintain_order=True)
        new = new.with_columns(pl.Series("code", np.arange(len(self), len(self) + len(new), dtype=np.int32)))
        self._known = pl.concat([self._known, new])
        code_n = found.fill_null(0).to_numpy(writable=True)
        code_n[unknown.to_numpy()] = absent.join(new, on="id", how="left", maintain_order="left")["code"].to_numpy()
        return code_n

    def names(self, order: np.ndarray | None = None) -> np.ndarray:
        """``(K,)`` the ids as strings, in the order of their numbers.

        Args:
            order: the numbers that are wanted, in the wanted order.
        """
        import polars as pl

        if self._known is None:
            return np.array([], dtype=np.str_)
        ids = self._known["id"].cast(pl.String)
        ids = ids if order is None else ids.gather(order)
        longest = int(ids.str.len_chars().max() or 0)  # type: ignore[arg-type]
        names = np.empty(len(ids), dtype=f"<U{max(longest, 1)}")
        for first in range(0, len(ids), _AT_ONCE):
            names[first : first + _AT_ONCE] = ids[first : first + _AT_ONCE].to_list()
        return names
