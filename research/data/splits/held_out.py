"""Runs of interactions that are kept out of training: the first of a run are input only, the others are asked for.

Shape legend: R runs, Q queries.
"""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.data.splits.successive import successive


def held_out(
    histories: Histories, user_R: np.ndarray, first_R: np.ndarray, asked_R: np.ndarray, stop_R: np.ndarray
) -> tuple[Queries, Spans]:
    """A query for every position in ``[asked, stop)`` of each run, and what of ``[first, stop)`` nobody asks for.

    A user's very first interaction has no input and is never asked for.

    Args:
        histories: the dataset.
        user_R: the user of each run.
        first_R: absolute first position of each run.
        asked_R: the first one that is asked for; before ``first`` means ``first``, behind ``stop`` means none.
        stop_R: absolute position behind its last one; runs may be empty.
    """
    asked_R = np.maximum(np.maximum(asked_R, first_R), histories.offsets[user_R] + 1)
    dropped = Spans(user_R, first_R, np.minimum(asked_R, stop_R))
    return successive(histories, user_R, asked_R, stop_R), dropped.without_empty()
