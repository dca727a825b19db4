"""Which rows of a source are kept: rating, period, a draw of users and items, repeats, k-core; every step counted.

The steps run in the order of the fields. Rows stay in file order, so that ties in time mean the same before and
after. "5-core" has several meanings in papers, and they give different sets: ``passes: 1`` counts users and items
once and drops what is too rare in the same stroke, as HSTU does for Amazon Books; ``passes: 0`` repeats that until
every user and item that is left has enough, which is the one largest such set whatever the order of the removals.

Users and items are drawn by their names, so that the order of the file is nothing to it, and those of a smaller
share are among those of a larger one.

Rows are looked at in blocks and never moved: a step only says which are kept.

Shape legend: N rows, n of one block, U users, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from research.data.clock import seconds_of
from research.data.draw import drawn
from research.data.interactions import Interactions
from research.errors import UserError


@dataclass(frozen=True)
class Step:
    """What was left after one step."""

    name: str
    rows: int
    users: int
    items: int

    def __str__(self) -> str:
        return f"{self.name}: {self.rows:,} interactions, {self.users:,} users, {self.items:,} items"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The default keeps everything."""

    version: ClassVar[int] = 1
    """Raised when a step changes what it keeps: prepared data of the old version is then not used."""

    min_rating: float | None = None
    """Lowest rating that counts as an interaction, in the source's own stars; null: all."""
    since: str | None = None
    """First moment that counts, such as 2015-01-31 or 2015-01-31T12:00, in UTC; null: all."""
    until: str | None = None
    """First moment that no longer counts; null: all."""
    user_share: float = 1.0
    """Share of the source's users that is drawn."""
    item_share: float = 1.0
    """Share of its items that is drawn."""
    draw: int = 0
    """Seed of both draws."""
    duplicates: Literal["keep", "first", "last"] = "keep"
    """Of a user's interactions with the same item, keep all, or the first or last in time."""
    consecutive: Literal["keep", "drop"] = "keep"
    """Whether to drop an interaction with the same item as the user's one before it in time."""
    user_core: int = 0
    """Fewest interactions of a user."""
    item_core: int = 0
    """Fewest interactions of an item."""
    passes: int = 0
    """How often the two are counted and applied; 0: until nothing changes."""

    def __post_init__(self) -> None:
        for key in ("user_core", "item_core", "passes", "draw"):
            if getattr(self, key) < 0:
                raise UserError(f"{key} is {getattr(self, key)}; it must not be negative.")
        for key in ("user_share", "item_share"):
            if not 0 < getattr(self, key) <= 1:
                raise UserError(f"selection.{key}={getattr(self, key)}: a share above 0, up to 1.")
        first, stop = self._period()
        if first >= stop:
            raise UserError(f"selection.since={self.since} is not before selection.until={self.until}.")

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that it looks at beside user, item and time."""
        return () if self.min_rating is None else ("rating",)

    def _period(self) -> tuple[int, int]:
        """The first second that counts, and the first that no longer does."""
        first = seconds_of("selection.since", self.since) if self.since else np.iinfo(np.int64).min
        stop = seconds_of("selection.until", self.until) if self.until else np.iinfo(np.int64).max
        return first, stop

    def __call__(self, log: Interactions) -> tuple[np.ndarray, list[Step]]:
        """Keep what the settings say.

        Args:
            log: all rows of the source, with the columns that `needs` names where the source has them.

        Returns:
            ``(N,)`` which rows are kept, and what was left after each step, the raw rows first.

        Raises:
            UserError: a threshold for a source without ratings, a period for one without times, or nothing is left.
        """
        kept_N = np.ones(len(log.rows), dtype=bool)
        trace = [Step("raw", len(log.rows), len(log.users), len(log.items))]
        counts = log.counts()

        def took(name: str) -> tuple[np.ndarray, np.ndarray]:
            count_U, count_I = log.counts(kept_N)
            users, items = int(np.count_nonzero(count_U)), int(np.count_nonzero(count_I))
            trace.append(Step(name, int(count_U.sum()), users, items))
            return count_U, count_I

        if self.min_rating is not None:
            if "rating" not in log.fields:
                raise UserError(f"{log.name} has no ratings, so min_rating={self.min_rating:g} cannot be applied.")
            for row_n, records_n in log.blocks():
                kept_N[row_n] = records_n["rating"] >= self.min_rating
            counts = took(f"rating of at least {self.min_rating:g}")
        if self.since or self.until:
            if not log.has_times:
                raise UserError(
                    f"{log.name} has an order but no times, so selection.since and until cannot be applied."
                )
            first, stop = self._period()
            for row_n, records_n in log.blocks(kept_N):
                kept_N[row_n] = (records_n["time"] >= first) & (records_n["time"] < stop)
            counts = took(
                " and ".join(f"{key} {at}" for key, at in (("since", self.since), ("until", self.until)) if at)
            )
        for key, share, numbering in (("user", self.user_share, log.users), ("item", self.item_share, log.items)):
            if share < 1:
                drawn_K = drawn(numbering.names(), share, self.draw)
                for row_n, records_n in log.blocks(kept_N):
                    kept_N[row_n] = drawn_K[records_n[key]]
                counts = took(f"a draw of {share:g} of the {key}s")
        if self.duplicates != "keep":
            for records_n in log.in_time(kept_N, counts[0]):
                kept_N[records_n["row"][_repeats(records_n, len(log.items), self.duplicates)]] = False
            counts = took(f"the {self.duplicates} of equal user and item")
        if self.consecutive == "drop":
            for records_n in log.in_time(kept_N, counts[0]):
                user_n, item_n = records_n["user"], records_n["item"]
                same_n = (user_n[1:] == user_n[:-1]) & (item_n[1:] == item_n[:-1])
                kept_N[records_n["row"][1:][same_n]] = False
            counts = took("no item twice in a row")
        done = 0
        while (self.user_core > 1 or self.item_core > 1) and (not self.passes or done < self.passes):
            # Users and items are counted on the same rows, so that the result does not depend on which comes first.
            enough_U, enough_I = counts[0] >= self.user_core, counts[1] >= self.item_core
            if enough_U[counts[0] > 0].all() and enough_I[counts[1] > 0].all():
                break
            for row_n, records_n in log.blocks(kept_N):
                kept_N[row_n] = enough_U[records_n["user"]] & enough_I[records_n["item"]]
            done += 1
            counts = took(f"pass {done}: users of at least {self.user_core}, items of at least {self.item_core}")
        if not kept_N.any():
            raise UserError(f"{log.name}: nothing is left. " + "; ".join(map(str, trace)) + ". Lower the thresholds.")
        return kept_N, trace


def _repeats(records_n: np.ndarray, n_items: int, kept: str) -> np.ndarray:
    """``(n,)`` which records, sorted by user and time, are not the first, or the last, of their user and item."""
    pair_n = records_n["user"].astype(np.int64) * n_items + records_n["item"]
    repeat_n = np.ones(len(pair_n), dtype=bool)
    if kept == "first":
        repeat_n[np.unique(pair_n, return_index=True)[1]] = False
    else:
        repeat_n[len(pair_n) - 1 - np.unique(pair_n[::-1], return_index=True)[1]] = False
    return repeat_n
