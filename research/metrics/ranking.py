"""Ranking metrics of one held-out item per row, computed from stored ranks.

A row is not a rank but two counts: how many candidates scored strictly higher than the target (``better``) and how
many others scored exactly the same (``ties``). Each metric is the exact expectation over a uniformly random order of
the equals, so a model with constant scores gets chance level, and none can gain from the order of its items.

With one relevant item Recall@k is the hit rate, MAP@k is MRR@k, and the ideal DCG is 1.

Shape legend: N rows (users), K cut-offs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from research.errors import UserError


def _hits(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Share of the possible places ``first..last`` (1-based) that lie within the first ``k``."""
    return np.clip(np.minimum(last_N, k) - first_N + 1, 0, None) / (last_N - first_N + 1)


def _mean_gain(gain_of_place: np.ndarray, first_N: np.ndarray, last_N: np.ndarray) -> np.ndarray:
    """Mean of ``gain_of_place[p - 1]`` over the places ``first..last``; places behind the array gain nothing."""
    total = np.concatenate([[0.0], np.cumsum(gain_of_place)])
    k = len(gain_of_place)
    return (total[np.minimum(last_N, k)] - total[np.minimum(first_N - 1, k)]) / (last_N - first_N + 1)


def recall(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Expected share of relevant items among the first ``k``: the hit rate, as one item is relevant."""
    return _hits(first_N, last_N, k)


def ndcg(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Expected ``1 / log2(rank + 1)`` within the first ``k`` (Järvelin and Kekäläinen 2002; ideal DCG = 1)."""
    return _mean_gain(1.0 / np.log2(np.arange(2, k + 2)), first_N, last_N)


def mrr(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Expected ``1 / rank`` within the first ``k``, else 0."""
    return _mean_gain(1.0 / np.arange(1, k + 1), first_N, last_N)


def precision(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Expected share of the first ``k`` that is relevant: recall / k."""
    return _hits(first_N, last_N, k) / k


def f1(first_N: np.ndarray, last_N: np.ndarray, k: int) -> np.ndarray:
    """Harmonic mean of precision and recall: ``2 / (k + 1)`` for a hit, as precision is 1/k and recall 1."""
    return _hits(first_N, last_N, k) * 2 / (k + 1)


METRICS: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "recall": recall,
    "hr": recall,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": mrr,
    "precision": precision,
    "f1": f1,
    "accuracy": recall,
}


def parse(name: str) -> tuple[Callable[[np.ndarray, np.ndarray, int], np.ndarray], int]:
    """Split ``"ndcg@10"`` into its function and cut-off.

    Raises:
        UserError: an unknown metric, a missing or non-positive cut-off, or ``accuracy`` at another cut-off than 1.
    """
    kind, _, cutoff = name.lower().partition("@")
    if kind not in METRICS:
        raise UserError(f"Unknown metric {name!r}. Known: {', '.join(f'{m}@k' for m in METRICS)}, for example ndcg@10.")
    if not cutoff.isdecimal() or int(cutoff) < 1:
        raise UserError(f"Metric {name!r} needs a cut-off of at least 1 after '@', for example {kind}@10.")
    if kind == "accuracy" and int(cutoff) != 1:
        raise UserError(f"Metric {name!r}: accuracy is defined at 1 only; at other cut-offs use recall@{cutoff}.")
    return METRICS[kind], int(cutoff)


def metric(name: str, better_N: np.ndarray, ties_N: np.ndarray) -> np.ndarray:
    """Per-row values of one metric.

    Args:
        name: a metric with its cut-off, such as ``"ndcg@10"``.
        better_N: candidates that scored strictly higher than the target.
        ties_N: other candidates that scored exactly the same.

    Returns:
        ``(N,)`` float64, the expectation over a random order of the equals.

    Raises:
        UserError: the name is not one of ours.
    """
    function, k = parse(name)
    first_N = np.asarray(better_N, dtype=np.int64) + 1
    return function(first_N, first_N + np.asarray(ties_N, dtype=np.int64), k)


def expected_rank(better_N: np.ndarray, ties_N: np.ndarray) -> np.ndarray:
    """Mean place of the target over all orders of its equals, from 1."""
    return np.asarray(better_N) + 1 + np.asarray(ties_N) / 2
