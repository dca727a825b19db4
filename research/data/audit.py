"""What a dataset and a split can and cannot show, in numbers: printed with every table that uses them.

Ties in time, repeated targets and targets unseen in training bound what any model can reach; the share of
users whose short window is their whole history bounds what fusing two views can add.

Shape legend: N interactions, U users, Q test queries, I items.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Split

BUCKETS = ((5, "<=5"), (10, "6-10"), (20, "11-20"), (50, "21-50"))
"""Upper bounds of the history-length buckets; what is longer falls into ``>50``."""

ShortStart = np.ndarray | Callable[[Queries], np.ndarray]
"""``(Q,)`` absolute position at which each query's short window begins, or a function that says so."""


def audit(histories: Histories, split: Split, *, short_start: ShortStart | None = None) -> dict[str, Any]:
    """Plain numbers about ``histories`` and the test queries of ``split``; ready for JSON.

    Args:
        histories: the dataset.
        split: whose training spans and test queries are looked at.
        short_start: where the short window of each test query begins; without it that share is ``None``.

    Returns:
        Counts and shares (from 0 to 1). Everything about times is ``None`` when the source has none.
    """
    h, test = histories, split.test
    length_U = h.lengths
    ties = _ties_in_time(h) if h.has_times else None
    last_tie_U = _last_two_tie(h) if h.has_times else None
    repeated_Q = _repeated(h, test)
    unseen_Q = _unseen_in_training(h, split)
    input_Q = test.stop - test.start
    starts = short_start(test) if callable(short_start) else short_start
    return {
        "dataset": h.name,
        "split": split.name,
        "users": h.n_users,
        "items": h.n_items,
        "interactions": len(h.items),
        "density": len(h.items) / (h.n_users * h.n_items),
        "history_min": int(length_U.min()),
        "history_median": float(np.median(length_U)),
        "history_mean": float(length_U.mean()),
        "history_max": int(length_U.max()),
        "history_buckets": _bucket_counts(length_U),
        "test_queries": len(test),
        "test_history_buckets": _bucket_counts(input_Q),
        "time_ties_share": ties,
        "users_last_two_tie": last_tie_U,
        "users_last_two_tie_share": None if last_tie_U is None else last_tie_U / h.n_users,
        "repeated_targets": int(repeated_Q.sum()),
        "repeated_targets_share": _share(repeated_Q),
        "targets_unseen_in_training": int(unseen_Q.sum()),
        "targets_unseen_in_training_share": _share(unseen_Q),
        "short_window_is_whole_history_share": None if starts is None else _share(starts <= test.start),
    }


def _share(mask_Q: np.ndarray) -> float | None:
    return float(np.mean(mask_Q)) if len(mask_Q) else None


def _bucket_counts(length_X: np.ndarray) -> dict[str, int]:
    """Users by history length, or test queries by the number of interactions before the target."""
    bounds = [bound for bound, _ in BUCKETS]
    counts = np.bincount(np.searchsorted(bounds, length_X), minlength=len(bounds) + 1)
    return dict(zip([*(name for _, name in BUCKETS), ">50"], counts.tolist(), strict=True))


def _ties_in_time(h: Histories) -> float:
    """Share of all interactions whose time equals the previous one of the same user."""
    equal_N = h.times[1:] == h.times[:-1]
    first = h.offsets[1:-1]
    equal_N[first[(first > 0) & (first < len(h.times))] - 1] = False  # neighbours of two different users
    return float(equal_N.sum() / len(h.times))


def _last_two_tie(h: Histories) -> int:
    """Users whose last two interactions tie: which of them is the test target depends on the file's order."""
    last_U = h.offsets[1:][h.lengths >= 2] - 1
    return int((h.times[last_U] == h.times[last_U - 1]).sum())


def _repeated(h: Histories, queries: Queries) -> np.ndarray:
    """``(Q,)`` whether the target is in the query's own input; a filter of seen items then loses it."""
    length_Q = queries.stop - queries.start
    query_P = np.repeat(np.arange(len(queries)), length_Q)
    within_P = np.arange(len(query_P)) - np.repeat(np.cumsum(length_Q) - length_Q, length_Q)
    equal_P = h.items[queries.start[query_P] + within_P] == h.items[queries.target[query_P]]
    return np.bincount(query_P[equal_P], minlength=len(queries)) > 0


def _unseen_in_training(h: Histories, split: Split) -> np.ndarray:
    """``(Q,)`` whether no training span of anybody holds the target."""
    # +1 where a span begins, -1 behind its end: the running sum is positive inside a span.
    edges = np.zeros(len(h.items) + 1, dtype=np.int64)
    np.add.at(edges, split.train.start, 1)
    np.add.at(edges, split.train.stop, -1)
    trained_I = np.zeros(h.n_items + 1, dtype=bool)
    trained_I[h.items[np.cumsum(edges[:-1]) > 0]] = True
    return ~trained_I[h.items[split.test.target]]
