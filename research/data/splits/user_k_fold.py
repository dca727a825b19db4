"""Cross-validation over users: a fold's users are held out entirely, and asked for from their own history.

Also called strong generalization (Marlin 2004; Liang and others 2018, arXiv 1802.05814): the model meets test users
for the first time in the test. A vector of the user is then untrained, and only what a history says counts.

Shape legend: U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.data.draw import check_seed, shuffled_place
from research.data.histories import Histories
from research.data.split import Spans, Split, Splitter
from research.data.splits.held_out import held_out
from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class UserKFold(Splitter):
    """Fold ``fold`` is the test, the next one the validation, the others are trained on whole.

    A held-out user's last interaction is the target and everything before it the input. Users with one interaction
    have no input and are never asked for. A study over ``split.fold`` asks for every user once. Training users' later
    interactions are trained on, so the protocol leaks the future across users.
    """

    k: int = 5
    """Folds of equal size, up to one user."""
    fold: int = 0
    """Which of them is the test, from 0."""
    seed: int = 0
    """Of the assignment of users to folds."""

    def __post_init__(self) -> None:
        if self.k < 3:
            raise UserError(f"split.k is {self.k}; at least 3 folds are needed: train, validation, test.")
        if not 0 <= self.fold < self.k:
            raise UserError(f"split.fold is {self.fold}; it is one of 0 to {self.k - 1}.")
        check_seed(self.seed)

    def __call__(self, histories: Histories) -> Split:
        """Split ``histories``.

        Raises:
            UserError: nothing is left for one of the three parts.
        """
        fold_U = shuffled_place(histories.user_ids, self.seed) * self.k // histories.n_users
        first_U, stop_U = histories.offsets[:-1], histories.offsets[1:]
        parts, dropped = [], []
        for fold in ((self.fold + 1) % self.k, self.fold):
            user = np.flatnonzero(fold_U == fold)
            queries, rest = held_out(histories, user, first_U[user], stop_U[user] - 1, stop_U[user])
            parts.append(queries)
            dropped.append(rest)
        user = np.flatnonzero((fold_U != self.fold) & (fold_U != (self.fold + 1) % self.k))
        train = Spans(user, first_U[user], stop_U[user])
        for part, held in (("train", train), ("validation", parts[0]), ("test", parts[1])):
            if not len(held):
                raise UserError(
                    f"User k-fold with k={self.k} on {histories.name!r}: nothing is left for the {part} part. "
                    "Give more users, longer histories or a smaller split.k."
                )
        name = f"user {self.k}-fold, fold {self.fold}, seed {self.seed}"
        return Split(name=name, train=train, validation=parts[0], test=parts[1], dropped=Spans.joined(*dropped))
