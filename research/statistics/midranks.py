"""Ranks from 1 upwards, equal values sharing the mean of their places."""

from __future__ import annotations

import numpy as np


def midranks(value_N: np.ndarray) -> np.ndarray:
    """``[3, 1, 3]`` has the ranks ``[2.5, 1, 2.5]``."""
    _, which_N, count = np.unique(value_N, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return ((last - count + 1 + last) / 2)[which_N]
