"""Interactions of any number: numbered and written to a file of records as they come, in the order of the source.

A record is user and item (numbers from 0 by first appearance), time, and the codes of the columns that are carried.
Everything behind this is done in blocks, so a hundred million interactions need no more memory than a few of these
blocks, a byte an interaction where some are dropped, and what grows with users and items.

Shape legend: N interactions, n of one block, U users, I items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.data.by_user import by_user
from research.data.numbering import Numbering
from research.data.spool import Spool
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Interactions:
    """What `spooled` has written.

    Attributes:
        name: the dataset's, for messages.
        folder: where the file lies; parts of a sort lie there too.
        rows: records with ``user``, ``item``, ``time``, perhaps ``moment`` and ``rating``, and a code from 1 for each
            carried column, 0 where it is unknown.
        users: of all rows.
        items: of all rows.
        has_times: whether ``time`` is real.
        columns: of the carried columns; ``codes`` less one.
    """

    name: str
    folder: Path
    rows: Spool
    users: Numbering
    items: Numbering
    has_times: bool
    columns: dict[str, Numbering] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return self.rows.dtype.names or ()

    @property
    def time(self) -> str:
        """The field that orders a user's interactions: the finest time there is."""
        return "moment" if "moment" in self.fields else "time"

    def blocks(self, kept_N: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """``(n,)`` numbers of the rows and their records, in order, of all or of those that are kept."""
        for where, records_n in self.rows.blocks():
            row_n = np.arange(where.start, where.stop)
            if kept_N is not None:
                row_n, records_n = row_n[kept_N[where]], records_n[kept_N[where]]
            yield row_n, records_n

    def counts(self, kept_N: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """``(U,)`` and ``(I,)``: how many rows each user and each item has."""
        count_U, count_I = np.zeros(len(self.users), np.int64), np.zeros(len(self.items), np.int64)
        for _, records_n in self.blocks(kept_N):
            count_U += np.bincount(records_n["user"], minlength=len(count_U))
            count_I += np.bincount(records_n["item"], minlength=len(count_I))
        return count_U, count_I

    def in_time(self, kept_N: np.ndarray, count_U: np.ndarray) -> Iterator[np.ndarray]:
        """Records ``user``, ``item``, ``row`` and the time, by user and time, in arrays of whole users."""
        names = ("user", "item", self.time)
        dtype = np.dtype([("row", np.int64), *((name, self.rows.dtype[name]) for name in names)], align=True)

        def rows() -> Iterator[np.ndarray]:
            for row_n, records_n in self.blocks(kept_N):
                numbered = np.empty(len(row_n), dtype)
                numbered["row"] = row_n
                for name in names:
                    numbered[name] = records_n[name]
                yield numbered

        return by_user(rows(), count_U, dtype, self.time, self.folder)

    def appearance(self, kept_N: np.ndarray | None) -> dict[str, np.ndarray | None]:
        """Of users, items and every carried column: which numbers are left, by their first appearance.

        The first is the one that comes first in the file, or, where there are finer times, in these. ``None`` where
        the numbers are in that order already.
        """
        numberings = {"user": self.users, "item": self.items, **self.columns}
        if kept_N is None and self.time == "time":
            return dict.fromkeys(numberings)
        return {key: self._appearance(key, len(one), kept_N) for key, one in numberings.items()}

    def _appearance(self, key: str, size: int, kept_N: np.ndarray | None) -> np.ndarray:
        base, never = int(key in self.columns), len(self.rows)
        row_K = np.full(size + base, never)
        moment_K = np.full(size + base, np.iinfo(np.int64).max)
        if self.time == "moment":
            for _, records_n in self.blocks(kept_N):
                np.minimum.at(moment_K, records_n[key], records_n["moment"])
        for row_n, records_n in self.blocks(kept_N):
            code_n = records_n[key]
            if self.time == "moment":
                earliest_n = records_n["moment"] == moment_K[code_n]
                row_n, code_n = row_n[earliest_n], code_n[earliest_n]
            np.minimum.at(row_K, code_n, row_n)
        present_K = base + np.flatnonzero(row_K[base:] < never)
        return present_K[np.lexsort((row_K[present_K], moment_K[present_K]))] - base


def spooled(
    name: str, frames: Iterable[pl.DataFrame], folder: Path, not_coded: Sequence[str] = (), needed: Sequence[str] = ()
) -> Interactions:
    """Number users, items and carried columns, and write the rows down.

    Args:
        name: the dataset's.
        frames: `research.data.source.Source.blocks`; their rows together are the rows of the set.
        folder: an existing directory.
        not_coded: columns that are not carried; every other one is.
        needed: numbers that are written down where the source has them, such as ``rating``.

    Raises:
        UserError: no rows, or rows without user, item or time.
        OSError: the disk is full.
    """
    log: Interactions | None = None
    for frame in frames:
        if log is None:
            carried = [one for one in frame.columns if one not in (*_OWN, *not_coded)]
            kinds = {"user": np.int32, "item": np.int32, "time": np.int64, "moment": np.int64, "rating": np.float64}
            fields = ["user", "item", "time", *(one for one in ("moment", *needed) if one in frame.columns)]
            kinds |= dict.fromkeys(carried, np.int32)
            dtype = np.dtype([(one, kinds[one]) for one in (*fields, *carried)], align=True)
            columns = {one: Numbering() for one in carried}
            rows = Spool(folder / "rows", dtype)
            log = Interactions(name, folder, rows, Numbering(), Numbering(), "time" in frame.columns, columns)
        log.rows.append(_records(log, frame))
    if log is None or not len(log.rows):
        raise UserError(f"{name} has no interactions.")
    return log


_OWN = ("user", "item", "time", "moment", "rating")


def _records(log: Interactions, frame: pl.DataFrame) -> np.ndarray:
    import polars as pl

    for one in ("user", "item", *(("time",) if log.has_times else ())):
        if absent := frame[one].null_count():
            raise UserError(f"{log.name}: {absent:,} rows have no {one}.")
    records_n = np.zeros(len(frame), log.rows.dtype)
    records_n["user"] = log.users.codes(frame["user"])
    records_n["item"] = log.items.codes(frame["item"])
    for one in ("time", "moment", "rating"):
        if one in log.fields and one in frame.columns:  # a set without times has zeros
            numbers = frame[one].cast(pl.Float64).fill_null(np.nan) if one == "rating" else frame[one]
            records_n[one] = numbers.to_numpy()
    for one, numbering in log.columns.items():
        known_n = frame[one].is_not_null().to_numpy()
        records_n[one][known_n] = numbering.codes(frame[one].drop_nulls()) + 1
    return records_n
