"""What is trained on, what is selected on, what is tested: index ranges into the histories, nothing is copied.

Every protocol is a set of training spans, two sets of queries and a set of spans that it drops. All numbers are
absolute positions into ``Histories.items``, so a split of a hundred million interactions is a few arrays.

Shape legend: S spans, N interactions of all spans, I items, Q queries (one per held-out item), R runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from research.data.histories import Histories
from research.errors import UserError


@dataclass(frozen=True)
class Spans:
    """Runs of interactions: span ``s`` is ``items[start_S[s]:stop_S[s]]`` of user ``user_S[s]``, less what is left out.

    Attributes:
        user: ``(S,)`` user of each span.
        start: ``(S,)`` absolute first position.
        stop: ``(S,)`` absolute position behind the last one.
        kept: over all interactions of the dataset, whether a span that covers one has it; ``None``: all. What is not
            kept is skipped when a batch is cut, so a history without some of its items is no copy either.
    """

    user: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    kept: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.user)

    @cached_property
    def length(self) -> np.ndarray:
        """``(S,)`` interactions of each span."""
        if self.kept is None:
            return self.stop - self.start
        before = np.concatenate([[0], np.cumsum(self.kept)])
        return before[self.stop] - before[self.start]

    @property
    def positions(self) -> np.ndarray:
        """``(N,)`` absolute positions of all interactions of all spans, span by span."""
        every_N = ragged(self.start, self.stop)
        return every_N if self.kept is None else every_N[self.kept[every_N]]

    def count(self, histories: Histories) -> np.ndarray:
        """``(I,)`` interactions of each item; entry ``i`` is item ``i + 1``."""
        return np.bincount(histories.items[self.positions], minlength=histories.n_items + 1)[1:]

    def take(self, chosen_S: np.ndarray) -> Spans:
        """Some of the spans, by mask or index."""
        return Spans(self.user[chosen_S], self.start[chosen_S], self.stop[chosen_S], self.kept)

    def without_empty(self) -> Spans:
        """The spans that hold something."""
        return self.take(self.length > 0)

    @staticmethod
    def joined(*several: Spans) -> Spans:
        """All of them, one after the other; they cover their runs whole."""
        assert all(one.kept is None for one in several)
        return Spans(*(np.concatenate([getattr(one, key) for one in several]) for key in ("user", "start", "stop")))

    @staticmethod
    def none() -> Spans:
        """No span."""
        return Spans(*np.zeros((3, 0), dtype=np.int64))


def ragged(start_R: np.ndarray, stop_R: np.ndarray) -> np.ndarray:
    """The numbers of all runs ``[start, stop)``, one run after the other."""
    length_R = stop_R - start_R
    before_R = np.cumsum(length_R) - length_R
    return np.arange(length_R.sum()) + np.repeat(start_R - before_R, length_R)


@dataclass(frozen=True)
class Queries:
    """Held-out items: given ``items[start_Q[q]:stop_Q[q]]``, what is the rank of ``items[target_Q[q]]``?

    Attributes:
        user: ``(Q,)`` who is asked for.
        start: ``(Q,)`` absolute first position of the input.
        stop: ``(Q,)`` absolute position behind its last one.
        target: ``(Q,)`` absolute position of the held-out interaction.
        cold: ``(Q,)`` whether the split kept the query's user, or its item, out of training; ``None``: it has no such
            notion.
    """

    user: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    target: np.ndarray
    cold: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class Split:
    """One protocol applied to one dataset.

    Every interaction is exactly one of: trained on, the target of one query, dropped.

    Attributes:
        name: the protocol with its settings, as tables print it.
        train: what is trained on.
        validation: what an epoch is chosen by.
        test: what is reported.
        dropped: interactions that the protocol neither trains on nor asks for; the input of queries at most.
    """

    name: str
    train: Spans
    validation: Queries
    test: Queries
    dropped: Spans = field(default_factory=Spans.none)


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
