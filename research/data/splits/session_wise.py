"""Whole sessions held out: a user's last session is the test, the one before it the validation.

The protocol of next-item tasks in session-aware recommendation: what came in earlier sessions is the long-term view,
what came in the same session the short-term one (Latifi, Mauro and Jannach, 2021: Session-aware recommendation, a
surprising quest for the state-of-the-art, arXiv 2011.03424, section 3).

Shape legend: N interactions, U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.data.histories import Histories
from research.data.split import Spans, Split, Splitter
from research.data.splits.held_out import held_out
from research.data.splits.sessions import begins_by_column, begins_by_gap
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class SessionWise(Splitter):
    """Each item of a held-out session after its first is asked for with everything of its user before it.

    The first item of a held-out session is input only. Users with fewer than three sessions are trained on whole and
    never evaluated. As leave-one-out, the protocol leaks the future across users.
    """

    gap: float = 30.0
    """A session begins after a pause of more than so many minutes."""
    column: str | None = None
    """The carried column that names sessions, instead of a gap."""

    def __post_init__(self) -> None:
        if self.gap <= 0:
            raise UserError(f"split.gap is {self.gap:g}; a session ends after a pause of more than 0 minutes.")

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: sessions cannot be told apart, or no user has three of them.
        """
        begins_N = begins_by_column(histories, self.column) if self.column else begins_by_gap(histories, self.gap)
        first_S = np.flatnonzero(begins_N)
        behind_U = np.searchsorted(first_S, histories.offsets[1:])  # sessions of all users up to each
        count_U = np.diff(behind_U, prepend=0)
        held_U = count_U >= 3
        by = f"column {self.column}" if self.column else f"gap {self.gap:g}"
        if not held_U.any():
            raise UserError(
                f"Session-wise split ({by}) of {histories.name!r}: no user has 3 sessions (train, validation, test). "
                "Give a smaller split.gap, or another split."
            )
        users = np.arange(histories.n_users)
        held, end, behind = users[held_U], histories.offsets[1:][held_U], behind_U[held_U]
        test_from, validation_from = first_S[behind - 1], first_S[behind - 2]
        train_stop_U = histories.offsets[1:].copy()
        train_stop_U[held_U] = validation_from
        validation, before = held_out(histories, held, validation_from, validation_from + 1, test_from)
        test, after = held_out(histories, held, test_from, test_from + 1, end)
        for part, queries in (("validation", validation), ("test", test)):
            if not len(queries):
                raise UserError(
                    f"Session-wise split ({by}) of {histories.name!r}: every {part} session has a single item, so "
                    "nothing can be asked for. Give a larger split.gap."
                )
        return Split(
            name=f"session-wise {by}",
            train=Spans(users, histories.offsets[:-1], train_stop_U),
            validation=validation,
            test=test,
            dropped=Spans.joined(before, after),
        )
