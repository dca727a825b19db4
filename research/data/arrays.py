"""Arrays that memory need not hold: written to a .npy file in blocks, hashed through the file."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from hashlib import _Hash


class ArrayFile:
    """A new one-dimensional .npy file of a length that is known beforehand; every block is appended."""

    def __init__(self, path: Path, dtype: np.dtype, length: int) -> None:
        self.path = path
        self.dtype = dtype
        self._file: BinaryIO = path.open("xb")
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, block: np.ndarray) -> None:
        """Write the next values.

        Raises:
            OSError: the disk is full.
        """
        self._file.write(np.ascontiguousarray(block, self.dtype).data)

    def close(self) -> np.ndarray:
        """The whole array, mapped into memory; it is on disk for good."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return np.load(self.path, mmap_mode="r", allow_pickle=False)


def feed(sha: _Hash, array: np.ndarray) -> None:
    """Hash the bytes of an array. A mapped one is read from its file: pages of a map count as this process's memory."""
    if not isinstance(array, np.memmap) or not isinstance(array.base, mmap.mmap) or not array.filename:
        sha.update(np.ascontiguousarray(array).data)
        return
    with Path(array.filename).open("rb") as file:
        file.seek(array.offset)
        left = array.nbytes
        while left and (portion := file.read(min(left, 1 << 20))):
            sha.update(portion)
            left -= len(portion)
