"""Where sessions begin, for all histories at once.

Shape legend: N interactions, S sessions.
"""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.errors import UserError


def begins_by_gap(histories: Histories, gap: float) -> np.ndarray:
    """``(N,)`` whether a session begins: a user's first interaction, and each after a pause of more than ``gap``.

    Args:
        histories: the dataset.
        gap: minutes.

    Raises:
        UserError: the dataset has no times.
    """
    if not histories.has_times:
        raise UserError(
            f"{histories.name!r} has an order but no times, so sessions cannot be cut by a gap. "
            "Name a column with split.column=session, if it has one."
        )
    begins_N = np.empty(len(histories.items), dtype=bool)
    begins_N[1:] = np.diff(histories.times) > gap * 60
    begins_N[histories.offsets[:-1]] = True
    return begins_N


def begins_by_column(histories: Histories, name: str) -> np.ndarray:
    """``(N,)`` whether a session begins, by the ids of a carried column.

    Sessions of one user that overlap, as on two devices, count as one: a cut between two interactions is made only
    where no session has interactions on both sides.

    Raises:
        UserError: the dataset has no such column, or it is unknown for some interactions.
    """
    if name not in histories.columns:
        known = ", ".join(histories.columns) or "none"
        raise UserError(f"{histories.name!r} has no column {name!r} to cut sessions by. Its columns: {known}.")
    code_N = histories.columns[name].astype(np.int64)
    if not code_N.all():
        raise UserError(
            f"Column {name!r} of {histories.name!r} is unknown for {int((code_N == 0).sum()):,} interactions, so "
            "sessions cannot be cut by it. Leave out split.column to cut them by a gap."
        )
    user_N = np.repeat(np.arange(histories.n_users), histories.lengths)
    # Two users may share an id, so a session is a pair.
    _, session_N = np.unique(user_N * (code_N.max() + 1) + code_N, return_inverse=True)
    position_N = np.arange(len(code_N))
    last_S = np.zeros(session_N.max() + 1, dtype=np.int64)
    np.maximum.at(last_S, session_N, position_N)
    open_until_N = np.maximum.accumulate(last_S[session_N])
    return np.concatenate([[True], open_until_N[:-1] < position_N[1:]])
