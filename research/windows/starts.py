"""Where the short window of each test query begins, as a position in the histories: what an audit asks.

Shape legend: Q queries.
"""

from __future__ import annotations

import numpy as np

from research.data.batch import Positions, cut
from research.data.histories import Histories
from research.data.split import Queries
from research.windows.base import Window


def query_starts(window: Window, histories: Histories, queries: Queries, *, block: int = 1024) -> np.ndarray:
    """``(Q,)`` absolute position at which each query's window begins.

    Args:
        window: what counts as short-term.
        histories: the dataset.
        queries: whole histories are looked at, not only what a model's longest row would keep.
        block: queries that are cut at one time.
    """
    start_Q = np.empty(len(queries), dtype=np.int64)
    order = np.argsort(queries.stop - queries.start, kind="stable")
    for i in range(0, len(order), block):
        q = order[i : i + block]
        batch = cut(histories, queries.user[q], queries.start[q], queries.stop[q])
        start_Q[q] = queries.start[q] + window(batch, Positions.last(batch.length_B)).numpy()
    return start_Q
