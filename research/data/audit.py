"""What a dataset and a split can and cannot show, in numbers: printed with every table that uses them.

Ties in time, repeated targets and targets unseen in training bound what any model can reach; the share of
users whose short window is their whole history bounds what fusing two views can add. Training on what happened after
a test target tells how far from a service's life a protocol is.

Shape legend: N interactions, U users, Q test queries, I items, G groups of equal times, P places of some groups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Split, ragged

BUCKETS = ((5, "<=5"), (10, "6-10"), (20, "11-20"), (50, "21-50"))
"""Upper bounds of the history-length buckets; what is longer falls into ``>50``."""

ShortStart = np.ndarray | Callable[[Queries], np.ndarray]
"""``(Q,)`` absolute position at which each query's short window begins, or a function that says so."""


def audit(
    histories: Histories,
    split: Split,
    *,
    short_start: ShortStart | None = None,
    windows: np.ndarray | None = None,
) -> dict[str, Any]:
    """Plain numbers about ``histories`` and the test queries of ``split``; ready for JSON.

    Args:
        histories: the dataset.
        split: whose training spans and test queries are looked at.
        short_start: where the short window of each test query begins; without it that share is ``None``.
        windows: ``(U,)`` different short windows in each history; without it their numbers are ``None``.

    Returns:
        Counts and shares (from 0 to 1). Everything about times is ``None`` when the source has none.
    """
    h, test = histories, split.test
    length_U = h.lengths
    ties = _ties_in_time(h) if h.has_times else None
    last_tie_U = _last_two_tie(h) if h.has_times else None
    moved_Q = _moved_by_shuffling(h, test) if h.has_times else None
    later = _trained_later(h, split) if h.has_times else (None, None)
    repeated_Q = repeated(h, test)
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
        "windows_per_user_median": None if windows is None else float(np.median(windows)),
        "windows_per_user_mean": None if windows is None else float(np.mean(windows)),
        "training_interactions": int(split.train.length.sum()),
        "dropped_interactions": int(split.dropped.length.sum()),
        "training_after_first_test_share": later[0],
        "training_after_test_mean_share": later[1],
        "test_queries": len(test),
        "test_history_buckets": _bucket_counts(input_Q),
        "time_ties_share": ties,
        "users_last_two_tie": last_tie_U,
        "users_last_two_tie_share": None if last_tie_U is None else last_tie_U / h.n_users,
        "targets_shuffled_ties_could_change_share": None if moved_Q is None else _mean(moved_Q > 0),
        "targets_shuffled_ties_expected_to_change_share": None if moved_Q is None else _mean(moved_Q),
        "repeated_targets": int(repeated_Q.sum()),
        "repeated_targets_share": _mean(repeated_Q),
        "targets_unseen_in_training": int(unseen_Q.sum()),
        "targets_unseen_in_training_share": _mean(unseen_Q),
        **({} if test.cold is None else {"cold_queries": int(test.cold.sum()), "cold_queries_share": _mean(test.cold)}),
        "short_window_is_whole_history_share": None if starts is None else _mean(starts <= test.start),
    }


def _mean(value_Q: np.ndarray) -> float | None:
    """Of a mask: the share."""
    return float(np.mean(value_Q)) if len(value_Q) else None


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


def repeated(h: Histories, queries: Queries) -> np.ndarray:
    """``(Q,)`` whether the target is in the query's own input; a filter of seen items then loses it."""
    query_P = np.repeat(np.arange(len(queries)), queries.stop - queries.start)
    equal_P = h.items[ragged(queries.start, queries.stop)] == h.items[queries.target[query_P]]
    return np.bincount(query_P[equal_P], minlength=len(queries)) > 0


def _moved_by_shuffling(h: Histories, queries: Queries) -> np.ndarray:
    """``(Q,)`` how probably the target is another item when a user's interactions of equal time change places.

    Its place then holds any of those with its time: the share of them that are of other items.
    """
    begins_N = np.ones(len(h.times) + 1, dtype=bool)
    begins_N[1:-1] = h.times[1:] != h.times[:-1]
    begins_N[h.offsets] = True
    edge_G = np.flatnonzero(begins_N)
    group_Q = np.searchsorted(edge_G, queries.target, side="right")
    first_Q, stop_Q = edge_G[group_Q - 1], edge_G[group_Q]
    size_Q = stop_Q - first_Q
    query_P = np.repeat(np.arange(len(queries)), size_Q)
    other_P = h.items[ragged(first_Q, stop_Q)] != h.items[queries.target[query_P]]
    return np.bincount(query_P, weights=other_P, minlength=len(queries)) / size_Q


def _trained_later(h: Histories, split: Split) -> tuple[float | None, float | None]:
    """Share of training interactions later than the earliest test target; and later than one, mean over targets."""
    time_N, target_Q = h.times[split.train.positions], np.sort(h.times[split.test.target])
    if not len(time_N) or not len(target_Q):
        return None, None
    earlier_N = np.searchsorted(target_Q, time_N, side="left")  # targets before each training interaction
    return float(np.mean(earlier_N > 0)), float(np.mean(earlier_N / len(target_Q)))


def _unseen_in_training(h: Histories, split: Split) -> np.ndarray:
    """``(Q,)`` whether no training span of anybody holds the target."""
    trained_I = np.concatenate([[False], split.train.count(h) > 0])
    return ~trained_I[h.items[split.test.target]]
