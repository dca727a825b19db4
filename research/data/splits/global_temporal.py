"""One moment for all users: what came before it is trained on, what comes after it is tested. Nothing leaks.

Leave-one-out trains on what other users did after a test target; here nobody's future is in the training data
(Gusak and others, 2025: Time to Split, RecSys, arXiv 2507.16289, where q = 0.9 and the last target are advised). The
moments are quantiles of the interactions' times. Interactions at exactly that moment count as after it, so that equal
times stay together.

Shape legend: N interactions, U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans, Split, Splitter
from research.data.splits.successive import successive
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class GlobalTemporal(Splitter):
    """Train, validation period, test period; who has an interaction in a period is evaluated there.

    Users who first come in a period are evaluated from their second interaction on. With ``last`` and ``all``, a
    period's other interactions serve as input or not at all.
    """

    q: float = 0.9
    """Share of all interactions before the test period."""
    validation_q: float = 0.9
    """Share of these before the validation period."""
    target: Literal["last", "successive", "all"] = "last"
    """A user's last interaction of the period; or each with all before it as input; or each with the input that was
    known when the period began."""

    def __post_init__(self) -> None:
        for key in ("q", "validation_q"):
            if not 0 < getattr(self, key) < 1:
                raise UserError(f"split.{key} is {getattr(self, key):g}; it is a share between 0 and 1.")

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: the dataset has no times, or nothing is left for one of the three parts.
        """
        if not histories.has_times:
            raise UserError(f"{histories.name!r} has an order but no times, so it cannot be split at a moment.")
        times_N = np.asarray(histories.times)
        test_from = _moment(times_N, self.q)
        validation_from = _moment(times_N[times_N < test_from], self.validation_q)
        before_test_U, before_validation_U = (_before(histories, moment) for moment in (test_from, validation_from))
        start_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
        some_U = before_validation_U > start_U
        split = Split(
            name=f"global temporal {self.q:g} {self.validation_q:g} {self.target}",
            train=Spans(np.flatnonzero(some_U), start_U[some_U], before_validation_U[some_U]),
            validation=self._queries(histories, before_validation_U, before_test_U),
            test=self._queries(histories, before_test_U, stop_U),
        )
        for part in ("train", "validation", "test"):
            if not len(getattr(split, part)):
                raise UserError(
                    f"Global temporal split of {histories.name!r} at q={self.q:g} and validation_q="
                    f"{self.validation_q:g}: nothing is left for the {part} part. Move the moments."
                )
        return split

    def _queries(self, histories: Histories, first_U: np.ndarray, stop_U: np.ndarray) -> Queries:
        """Of each user's run ``[first, stop)`` within one period."""
        users = np.arange(histories.n_users)
        if self.target == "last":
            return successive(histories, users, np.maximum(first_U, stop_U - 1), stop_U)
        queries = successive(histories, users, first_U, stop_U)
        if self.target == "successive":
            return queries
        known_U = first_U > histories.offsets[:-1]
        asked_Q = known_U[queries.user]
        user_Q = queries.user[asked_Q]
        return Queries(user_Q, queries.start[asked_Q], first_U[user_Q], queries.target[asked_Q])


def _moment(times_X: np.ndarray, q: float) -> int:
    """The time before which at most a share ``q`` of the times lie."""
    if not len(times_X):
        return np.iinfo(np.int64).min
    place = min(int(q * len(times_X) + 1e-9), len(times_X) - 1)
    return int(np.partition(times_X, place)[place])


def _before(histories: Histories, moment: int) -> np.ndarray:
    """``(U,)`` absolute position behind each user's last interaction before ``moment``."""
    earlier = np.concatenate([[0], np.cumsum(histories.times < moment)])
    start_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
    return start_U + earlier[stop_U] - earlier[start_U]
