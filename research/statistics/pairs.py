"""Two arms that ranked the same users, with one or more seeds each: what every paired comparison starts from.

A user is a pair, a seed is a replicate. Values are averaged over seeds first, which leaves one difference per user.

A user may stand in several rows, one a held-out item. These are not independent, so they are one pair: the sum of the
user's values, scaled so that the mean over users is the mean over rows. What is tested is then the difference that a
table of means over rows shows, to which a user with more rows adds more.

Shape legend: U users, S seeds of the first arm, R seeds of the second, N rows of one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from research.errors import UserError

DIGITS = 12
"""Decimals of a difference. The same values added in another order differ by a rounding error; here they are equal."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Values of one metric for two arms; column u is the same user in both.

    Attributes:
        first_SU: one row a seed; higher is better.
        second_RU: likewise; the arms may have different numbers of seeds.
        first_deterministic: another seed would give the same values, as for popularity or EASE.
        second_deterministic: likewise.

    Raises:
        UserError: not two tables of the same users, fewer than two users, a value that is no finite number.
    """

    first_SU: np.ndarray
    second_RU: np.ndarray
    first_deterministic: bool = False
    second_deterministic: bool = False

    def __post_init__(self) -> None:
        for table in (self.first_SU, self.second_RU):
            if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
                raise UserError(f"An arm should be a table of seeds x users, two users at least; got {table.shape}.")
            if not np.isfinite(table).all():
                raise UserError("A metric has a value that is no finite number. Repeat the run that it came from.")
        if self.first_SU.shape[1] != self.second_RU.shape[1]:
            raise UserError(
                f"A paired comparison needs the same users in both arms; the first has {self.first_SU.shape[1]}, the "
                f"second {self.second_RU.shape[1]}. Compare runs on the same data under the same protocol."
            )

    @staticmethod
    def of_runs(
        first: Sequence[tuple[np.ndarray, np.ndarray]],
        second: Sequence[tuple[np.ndarray, np.ndarray]],
        *,
        first_deterministic: bool = False,
        second_deterministic: bool = False,
    ) -> Pair:
        """Align the runs of two arms by user.

        Args:
            first: one ``(user_N, value_N)`` a seed, users in any order; one with several rows counts as one user.
            second: likewise.

        Raises:
            UserError: an arm without a run; runs that do not rank the same users, or one of them more often.
        """
        if not first or not second:
            raise UserError("A comparison needs at least one finished run of both arms.")
        users = np.sort(first[0][0])
        begins_U = np.flatnonzero(np.append(True, users[1:] != users[:-1]))
        tables = []
        for arm in (first, second):
            rows = []
            for user_N, value_N in arm:
                order_N = np.argsort(user_N, kind="stable")
                if not np.array_equal(user_N[order_N], users):
                    raise UserError(
                        "The runs of a comparison do not rank the same users. "
                        "Compare runs on the same data under the same protocol."
                    )
                rows.append(value_N[order_N])
            table = np.array(rows, dtype=np.float64)
            if len(begins_U) < len(users):
                table = np.add.reduceat(table, begins_U, axis=1) * (len(begins_U) / len(users))
            tables.append(table)
        return Pair(tables[0], tables[1], first_deterministic, second_deterministic)

    @property
    def users(self) -> int:
        return self.first_SU.shape[1]

    @property
    def seeds(self) -> tuple[int, int]:
        return len(self.first_SU), len(self.second_RU)

    @property
    def seed_noise_known(self) -> bool:
        """Whether each arm has two seeds at least, or needs none."""
        enough = self.seeds[0] > 1 or self.first_deterministic, self.seeds[1] > 1 or self.second_deterministic
        return all(enough)

    @property
    def difference_U(self) -> np.ndarray:
        """First minus second, averaged over seeds, one number a user."""
        return np.round(self.first_SU.mean(axis=0) - self.second_RU.mean(axis=0), DIGITS)


def checked(difference_U: np.ndarray) -> np.ndarray:
    """Differences as float64.

    Raises:
        UserError: not one number a user, fewer than two users, a number that is not finite.
    """
    difference_U = np.asarray(difference_U, dtype=np.float64)
    if difference_U.ndim != 1 or len(difference_U) < 2:
        raise UserError(f"A paired test needs one difference a user, two users at least; got {difference_U.shape}.")
    if not np.isfinite(difference_U).all():
        raise UserError("A difference between two arms is no finite number. Repeat the run that it came from.")
    return difference_U
