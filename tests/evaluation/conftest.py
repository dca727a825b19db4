"""Categories of items by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from research.data.columns import Feature


def feature(rows: Sequence[Sequence[int]]) -> Feature:
    """The codes of each item, from 1; they are called g1, g2, ..."""
    offsets = np.cumsum([0, *map(len, rows)])
    codes = np.array([code for row in rows for code in row], dtype=np.uint8)
    return Feature(offsets, codes, np.array([f"g{i}" for i in range(1, codes.max() + 1)]))
