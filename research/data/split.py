"""What is trained on, what is selected on, what is tested: index ranges into the histories, nothing is copied.

Every protocol is a set of training spans and two sets of queries. All numbers are absolute positions into
``Histories.items``, so a split of a hundred million interactions is a few arrays.

Shape legend: S training spans, N training interactions, I items, Q queries (one per held-out item).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from research.data.histories import Histories
from research.errors import UserError


@dataclass(frozen=True)
class Spans:
    """Training sequences: span ``s`` is ``items[start_S[s]:stop_S[s]]`` of user ``user_S[s]``."""

    user: np.ndarray
    start: np.ndarray
    stop: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    @property
    def positions(self) -> np.ndarray:
        """``(N,)`` absolute positions of all training interactions."""
        length_S = self.stop - self.start
        before_S = np.concatenate([[0], length_S.cumsum()[:-1]])
        return np.arange(length_S.sum()) + np.repeat(self.start - before_S, length_S)

    def count(self, histories: Histories) -> np.ndarray:
        """``(I,)`` training interactions of each item; entry ``i`` is item ``i + 1``."""
        return np.bincount(histories.items[self.positions], minlength=histories.n_items + 1)[1:]


@dataclass(frozen=True)
class Queries:
    """Held-out items: given ``items[start_Q[q]:stop_Q[q]]``, what is the rank of ``items[target_Q[q]]``?"""

    user: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    target: np.ndarray

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Split:
    """One protocol applied to one dataset."""

    name: str
    train: Spans
    validation: Queries
    test: Queries


class Splitter(ABC):
    """A protocol; keyword arguments are its configuration."""

    @abstractmethod
    def __call__(self, histories: Histories) -> Split:
        """Split a dataset."""


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(Splitter):
    """The last item of a user is the test target, the one before it the validation target.

    The validation item is part of the test input (Kang and McAuley 2018). Users with fewer than three interactions
    are trained on and never evaluated. Other users' later interactions are in the training data: this protocol leaks
    the future across users and stands here because published tables use it.
    """

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: no user has the three interactions that the protocol needs.
        """
        start_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
        held_U = histories.lengths >= 3
        if not held_U.any():
            raise UserError(
                f"Leave-one-out on {histories.name!r}: no user has 3 interactions (train, validation, test). "
                "Give longer histories or another split."
            )
        users = np.arange(histories.n_users)
        train_stop_U = np.where(held_U, stop_U - 2, stop_U)
        some_U = train_stop_U > start_U
        start_Q, stop_Q = start_U[held_U], stop_U[held_U]
        return Split(
            name="leave-one-out",
            train=Spans(users[some_U], start_U[some_U], train_stop_U[some_U]),
            validation=Queries(users[held_U], start_Q, stop_Q - 2, stop_Q - 2),
            test=Queries(users[held_U], start_Q, stop_Q - 1, stop_Q - 1),
        )
