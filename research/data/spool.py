"""Records of one type in a file: appended in blocks, read back in blocks, in the same order.

Read and written through the file, not through a memory map: pages of a map would count as memory of this process.

Shape legend: N records, n of one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

BLOCK = 1 << 20
"""Records that are read at a time."""


class Spool:
    """A new file of records."""

    def __init__(self, path: Path, dtype: np.dtype) -> None:
        self.path = path
        self.dtype = dtype
        self._length = 0
        path.touch(exist_ok=False)

    def __len__(self) -> int:
        return self._length

    def append(self, records_n: np.ndarray) -> None:
        """Add records at the end.

        Raises:
            OSError: the disk is full.
        """
        with self.path.open("ab") as file:
            records_n.tofile(file)
        self._length += len(records_n)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Which records, and the records."""
        for first in range(0, len(self), BLOCK):
            where = slice(first, min(first + BLOCK, len(self)))
            yield where, np.fromfile(self.path, self.dtype, where.stop - first, offset=first * self.dtype.itemsize)

    def whole(self) -> np.ndarray:
        """``(N,)`` all of them in memory."""
        return np.fromfile(self.path, self.dtype)
