"""Queries for a run of held-out interactions of each user: each is asked for with everything before it as input.

Shape legend: R runs, Q queries.
"""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries


def successive(histories: Histories, user_R: np.ndarray, first_R: np.ndarray, stop_R: np.ndarray) -> Queries:
    """One query for every position in ``[first, stop)`` of each run, in this order.

    A user's very first interaction has no input and is never asked for.

    Args:
        histories: the dataset.
        user_R: the user of each run.
        first_R: absolute first position of each run.
        stop_R: absolute position behind its last one; runs may be empty.
    """
    start_R = histories.offsets[user_R]
    first_R = np.maximum(first_R, start_R + 1)
    length_R = np.maximum(stop_R - first_R, 0)
    before_R = np.cumsum(length_R) - length_R
    target_Q = np.arange(length_R.sum()) + np.repeat(first_R - before_R, length_R)
    return Queries(np.repeat(user_R, length_R), np.repeat(start_R, length_R), target_Q, target_Q)
