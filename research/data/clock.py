"""Times of the sources as whole seconds since 1970 UTC, without losing an order that was finer.

A source's milliseconds are cut to seconds. Rows that then share a second would keep the file's order, which need not
be the order in time; so the rows are sorted by the finer time first, stably. Written times without a zone are read
as UTC, never in this machine's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


def whole_seconds(rows: pl.DataFrame, per_second: int = 1) -> pl.DataFrame:
    """Sort by ``time``, equal times in file order, and cut it down to whole seconds.

    Args:
        rows: ``time`` in units of which ``per_second`` make a second; integers or decimals.
        per_second: 1000 for milliseconds, 1 for decimal seconds.
    """
    import polars as pl

    return rows.sort("time", maintain_order=True).with_columns(
        (pl.col("time") / per_second).floor().cast(pl.Int64)
        if rows["time"].dtype.is_float()
        else pl.col("time").floordiv(per_second)
    )


@dataclass(frozen=True)
class Written:
    """A time as a file writes it, read as UTC.

    Attributes:
        as_: in the notation of polars' ``to_datetime``, such as ``%Y-%m-%dT%H:%M:%SZ``.
    """

    as_: str

    def milliseconds(self, texts: pl.Series) -> pl.Series:
        """Since 1970 UTC; null where the time is written in another way."""
        return texts.str.to_datetime(self.as_, time_unit="ms", strict=False).dt.epoch("ms")


def seconds_of(key: str, text: str) -> int:
    """Seconds since 1970 of a moment that a person wrote, UTC where it names no zone.

    Args:
        key: of the configuration, for the message.
        text: such as ``2017-12-03`` or ``2017-12-03T12:00``.

    Raises:
        UserError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{key} is {text!r}; write it as 2017-12-03 or 2017-12-03T12:00, in UTC.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def by_moment(rows: pl.DataFrame, per_second: int = 1000) -> pl.DataFrame:
    """Whole seconds, and beside them the finer time as ``moment``, for a source that is read in blocks.

    Args:
        rows: ``time``, an integer in units of which ``per_second`` make a second.
        per_second: 1000 for milliseconds.
    """
    import polars as pl

    return rows.with_columns(pl.col("time").floordiv(per_second), moment="time")


def read_times(rows: pl.DataFrame, written: str, name: str) -> pl.DataFrame:
    """Parse the strings of ``time`` as UTC; fractions of a second count for the order and are cut.

    Args:
        rows: ``time`` as it is written.
        written: in the notation of polars' ``to_datetime``, such as ``%Y-%m-%dT%H:%M:%SZ``.
        name: the file's, for messages.

    Raises:
        UserError: a time is written in another way.
    """
    import polars as pl

    milliseconds = Written(written).milliseconds(rows["time"])
    if milliseconds.null_count():
        wrong = rows.filter(milliseconds.is_null())["time"]
        raise UserError(f"{name}: {len(wrong):,} times are not written as {written}, such as {wrong[0]!r}.")
    rows = rows.with_columns(milliseconds.alias("time"))
    return (
        whole_seconds(rows, 1000) if "%.f" in written or "%3f" in written else rows.with_columns(pl.col("time") // 1000)
    )
