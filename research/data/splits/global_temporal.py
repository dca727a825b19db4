"""One moment for all users: what came before it is trained on, what comes after it is tested. Nothing leaks.

Leave-one-out trains on what other users did after a test target; here nobody's future is in the training data
(Gusak and others, 2025: Time to Split, RecSys, arXiv 2507.16289, where q = 0.9 and the last target are advised). The
moments are quantiles of the interactions' times, or dates. Interactions at exactly that moment count as after it, so
that equal times stay together.

Shape legend: X some interactions, U users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from research.data.clock import seconds_of
from research.data.draw import check_seed, check_share, drawn
from research.data.histories import Histories
from research.data.split import Queries, Spans, Split, Splitter
from research.data.splits.held_out import held_out
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class GlobalTemporal(Splitter):
    """Train, validation, test period; who has an interaction in a period is evaluated there.

    Users who first come in a period are evaluated from their second interaction on. With ``last`` and ``all``, a
    period's other interactions serve as input or not at all.

    Validation by users instead takes some users out of training: the target is their last interaction before the test
    period, and everything else before it is trained on up to the very moment of the test.
    """

    q: float = 0.9
    """Share of all interactions before the test period."""
    test_from: str | None = None
    """When the test period begins, UTC, as 2017-12-03 or 2017-12-03T12:00; instead of ``q``."""
    validation: Literal["time", "users"] = "time"
    """Whether a period before the test period, or a share of the users, is validated on."""
    validation_q: float = 0.9
    """By time: share of the interactions before the test period that come before the validation period."""
    validation_from: str | None = None
    """By time: when the validation period begins, instead of ``validation_q``."""
    validation_users: float = 0.1
    """By users: share of all users that are drawn for validation."""
    seed: int = 0
    """By users: of that draw."""
    target: Literal["last", "successive", "all"] = "last"
    """A user's last interaction of the period; or each with all before it as input; or each with the input that was
    known when the period began."""

    def __post_init__(self) -> None:
        for key in ("q", "validation_q", "validation_users"):
            check_share(key, getattr(self, key))
        check_seed(self.seed)
        for key in ("test_from", "validation_from"):
            if getattr(self, key) is not None:
                seconds_of(f"split.{key}", getattr(self, key))

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: the dataset has no times, or nothing is left for one of the three parts.
        """
        if not histories.has_times:
            raise UserError(f"{histories.name!r} has an order but no times, so it cannot be split at a moment.")
        times_N = np.asarray(histories.times)
        test_from = seconds_of("split.test_from", self.test_from) if self.test_from else _moment(times_N, self.q)
        before_test_U = _before(histories, test_from)
        users = np.arange(histories.n_users)
        if self.validation == "time":
            earlier_X = times_N[times_N < test_from]
            dated = self.validation_from
            moment = seconds_of("split.validation_from", dated) if dated else _moment(earlier_X, self.validation_q)
            train_stop_U = np.minimum(_before(histories, moment), before_test_U)
            validation, before = self._period(histories, users, train_stop_U, before_test_U)
        else:
            chosen = np.flatnonzero(drawn(histories.user_ids, self.validation_users, self.seed))
            first, stop = histories.offsets[chosen], before_test_U[chosen]
            train_stop_U = before_test_U.copy()
            train_stop_U[chosen] = first
            validation, before = held_out(histories, chosen, first, stop - 1, stop)
        test, after = self._period(histories, users, before_test_U, histories.offsets[1:])
        split = Split(
            name=self._name(),
            train=Spans(users, histories.offsets[:-1], train_stop_U).without_empty(),
            validation=validation,
            test=test,
            dropped=Spans.joined(before, after),
        )
        for part in ("train", "validation", "test"):
            if not len(getattr(split, part)):
                raise UserError(
                    f"Split of {histories.name!r} by {split.name}: nothing is left for the {part} part. "
                    "Move the moments."
                )
        return split

    def _name(self) -> str:
        """As before there were dates and users where neither is asked for."""
        by_time = self.validation_from or f"{self.validation_q:g}"
        by_users = f"users {self.validation_users:g} seed {self.seed}"
        validation = by_time if self.validation == "time" else by_users
        return f"global temporal {self.test_from or f'{self.q:g}'} {validation} {self.target}"

    def _period(
        self, histories: Histories, users: np.ndarray, first_U: np.ndarray, stop_U: np.ndarray
    ) -> tuple[Queries, Spans]:
        """Of each user's run ``[first, stop)`` within one period."""
        known_U = first_U > histories.offsets[:-1]
        asked_U = {"last": stop_U - 1, "successive": first_U, "all": np.where(known_U, first_U, stop_U)}[self.target]
        queries, dropped = held_out(histories, users, first_U, asked_U, stop_U)
        if self.target == "all":
            queries = Queries(queries.user, queries.start, first_U[queries.user], queries.target)
        return queries, dropped


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
