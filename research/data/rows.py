"""A block of delimited text row by row, as the csv module reads it: where rows begin, and which can be used.

Slow: only for blocks that polars cannot read as a table, to say which lines are wrong.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from research.data.clock import Written

Kind = type | Written
"""Of a column: ``int``, ``float``, ``str``, or a time and how it is written."""

_WHOLE = re.compile(r" *[+-]?[0-9]{1,19}")


def split(lines: Iterable[str], separator: str, quote: str | None) -> Iterator[tuple[int, int, list[str] | None]]:
    """First and last line, from 0, and fields of each row; ``None`` for a row that is longer than any row may be."""
    if quote is None:
        rows = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        rows = csv.reader(lines, delimiter=separator, quotechar=quote)
    last = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            row = None
        first, last = last, rows.line_num
        yield first, last - 1, row


def last_begin(content: bytes, separator: str, quote: str | None) -> int:
    """The byte at which the last row begins."""
    begins = [first for first, _, _ in split(_lines(content), separator, quote)]
    return sum(len(line) for line in islice(io.BytesIO(content), begins[-1]))


def unusable(
    content: bytes,
    separator: str,
    quote: str | None,
    columns: Sequence[tuple[int, Kind, bool]],
    width: int,
    ragged: bool,
) -> list[tuple[int, int]]:
    """First and last line, from 0, of each row that cannot be used; blank lines are no rows.

    Args:
        content: whole rows.
        separator: between fields.
        quote: around fields.
        columns: place, kind, and whether a field may be empty, of each column that is wanted.
        width: how many columns there are.
        ragged: whether a row may have more fields.
    """
    import polars as pl

    where, good = [], []
    times: dict[int, list[str]] = {place: [] for place, kind, _ in columns if isinstance(kind, Written)}
    for first, last, row in split(_lines(content), separator, quote):
        if row == []:
            continue
        fields = [*(row or []), *[""] * (width - len(row or []))]
        where.append((first, last))
        fits = len(fields) == width or ragged
        good.append(fits and all(_usable(fields[place], kind, empty) for place, kind, empty in columns))
        for place, texts in times.items():
            texts.append(fields[place])
    for place, kind, empty in columns:
        if isinstance(kind, Written):  # polars' notation of times is not Python's, so it judges, all at once
            written = kind.milliseconds(pl.Series(times[place], dtype=pl.String)).is_not_null()
            good = [a and (b or (empty and not c)) for a, b, c in zip(good, written, times[place], strict=True)]
    return [lines for lines, fine in zip(where, good, strict=True) if not fine]


def without(content: bytes, rows: Sequence[tuple[int, int]]) -> bytes:
    """The content less the lines of those rows."""
    dropped = {number for first, last in rows for number in range(first, last + 1)}
    return b"".join(line for number, line in enumerate(io.BytesIO(content)) if number not in dropped)


def is_utf8(content: bytes) -> bool:
    """Whether it can be decoded."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(content: bytes) -> Iterator[str]:
    for line in io.BytesIO(content):
        yield line.decode("utf-8", errors="replace")


def _usable(text: str, kind: Kind, may_be_empty: bool) -> bool:
    """Whether polars reads it as such a value."""
    if not text:
        return may_be_empty
    if kind is int:
        return bool(_WHOLE.fullmatch(text)) and -(2**63) <= int(text) < 2**63
    if kind is float:
        try:
            number = float(text)
        except ValueError:
            return False
        return math.isfinite(number) and "_" not in text and text == text.rstrip()
    return "\ufffd" not in text
