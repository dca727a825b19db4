"""McNemar's question where a user has several held-out items: do two runs hit the same share of them?

A user's hits depend on one another, so items are no pairs: the plain test would count one user's habit many times.
Here a user is one pair, with d = items that only the first run hits less items that only the second does. Under no
difference d is as likely as -d, and p is that of the sign flips of d. With one item a user, d is -1, 0 or 1 and p is
the exact one of ``mcnemar_test``, counted up to 20 users who differ and drawn above.

Source: the permutation form of Obuchowski, On the comparison of correlated proportions for clustered data, Statistics
in Medicine 17 (1998), whose normal form is ``sum(d)^2 / sum(d^2)`` against chi-squared with one degree of freedom.

Shape legend: Q queries, U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.errors import UserError
from research.statistics.mcnemar import mcnemar_test
from research.statistics.permutation import sign_flip_test


@dataclass(frozen=True)
class McNemarByUser:
    """The test's result.

    Attributes:
        first_only: queries that only the first run hits; ``second_only`` likewise.
        users: whose these are.
        p: two-sided, of sign flips over users.
    """

    first_only: int
    second_only: int
    users: int
    p: float


def mcnemar_by_user(
    first_Q: np.ndarray, second_Q: np.ndarray, user_Q: np.ndarray, *, draws: int = 10_000, seed: int = 0
) -> McNemarByUser:
    """Compare the hits of two runs on the same queries.

    Args:
        first_Q: 1 for a hit, 0 for a miss (or booleans); likewise ``second_Q``.
        user_Q: whose query each is.
        draws: as of ``sign_flip_test``, with ``seed``.

    Raises:
        UserError: different numbers of queries, fewer than two users, or a value that is neither hit nor miss.
    """
    plain = mcnemar_test(first_Q, second_Q)
    if np.shape(user_Q) != np.shape(first_Q):
        raise UserError(f"Each query needs its user; got {np.shape(first_Q)} hits and {np.shape(user_Q)} users.")
    _, of_Q = np.unique(user_Q, return_inverse=True)
    differing_Q = np.asarray(first_Q, dtype=np.float64) - np.asarray(second_Q, dtype=np.float64)
    d_U = np.bincount(of_Q, weights=differing_Q)
    users = len(np.unique(of_Q[differing_Q != 0]))
    return McNemarByUser(plain.first_only, plain.second_only, users, sign_flip_test(d_U, draws=draws, seed=seed).p)
