"""Ranks and metrics by plain loops over Python numbers: the slow twin that the instrument is held against.

It shares no line with `research.metrics` or `research.evaluation`; that is the point of it.

Shape legend: I items.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

GAIN: dict[str, Callable[[int, int], float]] = {
    "recall": lambda place, k: 1.0,
    "hr": lambda place, k: 1.0,
    "ndcg": lambda place, k: 1.0 / math.log2(place + 1),
    "mrr": lambda place, k: 1.0 / place,
    "map": lambda place, k: 1.0 / place,
    "precision": lambda place, k: 1.0 / k,
    "f1": lambda place, k: 2.0 / (k + 1),
    "accuracy": lambda place, k: 1.0,
}
"""What a target at a place within the first ``k`` is worth."""

NAMES = ("accuracy@1", *(f"{kind}@{k}" for kind in GAIN if kind != "accuracy" for k in (1, 5, 10, 20)))


def value(name: str, first: int, last: int) -> float:
    """Mean worth of a target that is equally likely at each of the places ``first..last``, from 1."""
    kind, _, cutoff = name.partition("@")
    k = int(cutoff)
    inside = range(first, min(last, k) + 1)
    return math.fsum(GAIN[kind](place, k) for place in inside) / (last - first + 1)


def ceiling(name: str) -> float:
    """The worth of the first place: 1, but for precision and F1, which one relevant item cannot bring to 1."""
    return value(name, 1, 1)


def counts(score_I: Sequence[float], target: int, seen: set[int]) -> tuple[int, int, int]:
    """``better``, ``ties`` and ``candidates`` of one user.

    Args:
        score_I: of all items; ``score_I[i - 1]`` is item ``i``.
        target: the held-out item, from 1.
        seen: items from 1 that may not be recommended again.
    """
    better = ties = 0
    candidates = 1
    for item, score in enumerate(score_I, start=1):
        if item == target or item in seen:
            continue
        candidates += 1
        better += score > score_I[target - 1]
        ties += score == score_I[target - 1]
    return (candidates - 1, 0, candidates) if target in seen else (better, ties, candidates)
