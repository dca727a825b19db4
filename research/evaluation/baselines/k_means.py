"""k-means: Lloyd's rounds from centres drawn far apart (k-means++, Arthur and Vassilvitskii, SODA 2007).

Shape legend: N points, E numbers of a point, K groups.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from research.evaluation.baselines.profile import Vectors, dense, squared_lengths

STARTS = 5
"""Of which the one with the smallest sum of squared distances is kept."""
ROUNDS = 100
"""Of one start at most; it ends when no point changes its group."""


def k_means(point_NE: Vectors, groups: int, seed: int) -> np.ndarray:
    """``(K, E)`` float64 centres; equal on every call.

    Args:
        point_NE: at least ``groups`` of them.
        groups: how many.
        seed: of the draw of first centres.
    """
    rng = np.random.default_rng(seed)
    found = [_rounds(point_NE, _far_apart(point_NE, groups, rng)) for _ in range(STARTS)]
    return min(found, key=lambda one: one[0])[1]


def distances(point_NE: Vectors, centre_KE: np.ndarray) -> np.ndarray:
    """``(N, K)`` squared."""
    distance_NK = squared_lengths(point_NE)[:, None] - 2 * dense(point_NE @ centre_KE.T) + (centre_KE**2).sum(axis=1)
    return np.maximum(distance_NK, 0.0)


def _far_apart(point_NE: Vectors, groups: int, rng: np.random.Generator) -> np.ndarray:
    """Each further centre is a point drawn by its squared distance from the nearest one before it."""
    n = len(squared_lengths(point_NE))
    centre_KE = dense(point_NE[[int(rng.integers(n))]])
    while len(centre_KE) < groups:
        near_N = distances(point_NE, centre_KE).min(axis=1)
        total = near_N.sum()
        # Where all points are centres already, any will do.
        chosen = rng.choice(n, p=near_N / total) if total > 0 else rng.integers(n)
        centre_KE = np.vstack([centre_KE, dense(point_NE[[int(chosen)]])])
    return centre_KE


def _rounds(point_NE: Vectors, centre_KE: np.ndarray) -> tuple[float, np.ndarray]:
    """The sum of squared distances, and the centres, when nothing changes any more."""
    n, groups = len(squared_lengths(point_NE)), len(centre_KE)
    before_N = np.full(n, -1)
    for _ in range(ROUNDS):
        distance_NK = distances(point_NE, centre_KE)
        group_N = distance_NK.argmin(axis=1)
        if (group_N == before_N).all():
            break
        before_N = group_N
        size_K = np.bincount(group_N, minlength=groups)
        member_KN = csr_array((np.ones(n), (group_N, np.arange(n))), shape=(groups, n))
        centre_KE = dense(member_KN @ point_NE) / np.maximum(size_K, 1)[:, None]
        # A group that has lost all its points begins anew at the point that is worst served.
        worst = np.argsort(-distance_NK.min(axis=1), kind="stable")
        empty = np.flatnonzero(size_K == 0)
        centre_KE[empty] = dense(point_NE[worst[: len(empty)]])
    return float(distances(point_NE, centre_KE).min(axis=1).sum()), centre_KE
