"""Who is asked for, as a dataset of one history: a user of the data, or what somebody typed.

A typed history has no times. Where the data have some, its interactions lie a minute apart and the last of them at the
last moment of the data: a model has seen no later one, and the same question has the same answer tomorrow. What the
model reads of an interaction beside (scenario, behaviour) is unknown there.

Shape legend: N interactions of the history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries
from research.errors import UserError

STEP = 60
"""Seconds between interactions that have no times."""


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds_of(words: str) -> int:
    """``"90s"``, ``"30m"``, ``"2h"``, ``"3d"`` or ``"1w"`` in seconds.

    Raises:
        UserError: it is none of these.
    """
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?) ?([smhdw])", words.strip())
    if found is None:
        raise UserError(f"--after {words}: a number and one of s, m, h, d, w, such as 90s, 30m, 2h, 3d or 1w.")
    return round(float(found[1]) * UNITS[found[2]])


@dataclass(frozen=True)
class Asked:
    """A history, who it belongs to, and when is asked.

    Attributes:
        user: index of the user; ``None``: nobody of the data.
        items: ``(N,)`` from 1, the oldest first.
        times: ``(N,)`` seconds.
        columns: carried columns, ``(N,)`` codes.
        after: seconds from the last interaction to the moment for which is asked.
    """

    user: int | None
    items: np.ndarray
    times: np.ndarray
    columns: dict[str, np.ndarray]
    after: int = 0

    @classmethod
    def of_user(cls, histories: Histories, name: str) -> Asked:
        """All that is known of a user, held-out items among it.

        Raises:
            UserError: there is no such user.
        """
        found = np.flatnonzero(histories.user_ids == name)
        if not len(found):
            near = get_close_matches(name, histories.user_ids.tolist(), n=3)
            some = near or histories.user_ids[:3].tolist()
            say = "Near are" if near else "Users are called, for instance,"
            raise UserError(f"{histories.name!r} has no user {name!r}. {say} {', '.join(some)}.")
        user = int(found[0])
        span = slice(histories.offsets[user], histories.offsets[user + 1])
        columns = {column: np.asarray(codes[span]) for column, codes in histories.columns.items()}
        return cls(user, np.asarray(histories.items[span]), np.asarray(histories.times[span]), columns)

    @classmethod
    def of_items(cls, histories: Histories, items: np.ndarray) -> Asked:
        """A typed history."""
        last = int(histories.times.max()) if histories.has_times else 0
        step = STEP if histories.has_times else 0
        times = last - step * np.arange(len(items) - 1, -1, -1)
        columns = {column: np.zeros(len(items), dtype=codes.dtype) for column, codes in histories.columns.items()}
        return cls(None, items, times, columns)

    def then(self, histories: Histories, item: int) -> Asked:
        """The same with one more interaction behind the last."""
        if not len(self.items):
            return replace(Asked.of_items(histories, np.array([item])), after=self.after)
        time = self.times[-1] + (STEP if histories.has_times else 0)
        return replace(
            self,
            items=np.append(self.items, item),
            times=np.append(self.times, time),
            columns={name: np.append(codes, codes.dtype.type(0)) for name, codes in self.columns.items()},
        )

    def query(self, histories: Histories, user: int | None = None) -> tuple[Histories, Queries]:
        """As a dataset of this history alone, and its one query.

        Args:
            histories: whose catalogue it is.
            user: in whose name, where the history is nobody's.
        """
        n = len(self.items)
        # A query is asked at the time of its target, so one more interaction stands there. Nothing else of it is read.
        alone = replace(
            histories,
            offsets=np.array([0, n + 1]),
            items=np.append(self.items, self.items[-1:]).astype(np.int32),
            times=np.append(self.times, self.times[-1:] + self.after).astype(np.int64),
            columns={name: np.append(codes, codes[-1:]) for name, codes in self.columns.items()},
        )
        index = self.user if user is None else user
        return alone, Queries(*(np.array([number]) for number in (index or 0, 0, n, n)))
