"""Leave the last k out: the last k interactions of a user are test targets, the k before them validation targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.data.histories import Histories
from research.data.split import Spans, Split, Splitter
from research.data.splits.successive import successive
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class LeaveLastK(Splitter):
    """Each target is asked for with everything of its user before it, the targets before it included.

    Users with fewer than ``2 k + 1`` interactions are trained on and never evaluated. A user has k rows in the table
    of ranks, so rows are not independent. As leave-one-out, which is k = 1, it leaks the future across users.
    """

    k: int = 5
    """Test targets of a user, and validation targets."""

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UserError(f"split.k is {self.k}; at least 1 is needed.")

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: no user has the interactions that the protocol needs.
        """
        start_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
        held_U = histories.lengths >= 2 * self.k + 1
        if not held_U.any():
            raise UserError(
                f"Leave-last-{self.k} on {histories.name!r}: no user has {2 * self.k + 1} interactions "
                f"(1 to train, {self.k} to validate, {self.k} to test). Give longer histories or a smaller split.k."
            )
        users = np.arange(histories.n_users)
        held, end = users[held_U], stop_U[held_U]
        return Split(
            name=f"leave-last-{self.k}",
            train=Spans(users, start_U, np.where(held_U, stop_U - 2 * self.k, stop_U)),
            validation=successive(histories, held, end - 2 * self.k, end - self.k),
            test=successive(histories, held, end - self.k, end),
        )
