"""Where short windows begin: of each test query, and of all positions of a history. This is what an audit asks.

Shape legend: Q queries, U users, N positions of some histories.
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


def windows_per_user(window: Window, histories: Histories, *, room: int = 200_000) -> np.ndarray:
    """``(U,)`` different windows in each history: its sessions or days, or its stretches of the last k.

    Two positions share a window when theirs begin at the same interaction.

    Args:
        window: what counts as short-term.
        histories: the dataset.
        room: padded positions that are cut at one time, beside those of one history.
    """
    count_U = np.empty(histories.n_users, dtype=np.int64)
    order = np.argsort(histories.lengths, kind="stable")
    length = histories.lengths[order]
    first = 0
    while first < len(order):
        # Sorted by length, so a block is as wide as its last history: as many as surely fit.
        stop = first + max(1, room // int(length[min(first + room // int(length[first]), len(order)) - 1]))
        u = order[first:stop]
        batch = cut(histories, u, histories.offsets[u], histories.offsets[u + 1])
        at = Positions.where(batch.items_BT > 0)
        start_N, row_N = window(batch, at).numpy(), at.row_N.numpy()
        # Windows never begin earlier than the one before them, so a new start is a new window.
        new_N = np.ones(len(row_N), dtype=bool)
        new_N[1:] = (row_N[1:] != row_N[:-1]) | (start_N[1:] != start_N[:-1])
        count_U[u] = np.bincount(row_N[new_N], minlength=len(u))
        first = stop
    return count_U
