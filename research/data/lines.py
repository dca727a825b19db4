"""One record a line, as JSON or as a Python dictionary's text: the fields that are wanted, typed, in file order.

McAuley's review files of 2018 are JSON; his older files and Steam's are what Python printed, with ``u'...'`` and
single quotes. Those are read with ``ast.literal_eval``, which knows literals only: nothing in a file is executed.
"""

from __future__ import annotations

import ast
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from research.data.clock import Written
from research.data.malformed import Malformed, Wrong

if TYPE_CHECKING:
    import polars as pl


class Name:
    """A kind of field: a word or a number, which becomes a word."""


Kind = type | Written
"""What a field holds."""

_AT_ONCE = 100_000  # records: bounds the Python objects that live at a time


def read_lines(
    content: bytes,
    wanted: Mapping[str, tuple[str, Kind]],
    *,
    name: str,
    python: bool = False,
    malformed: Malformed = "error",
) -> pl.DataFrame:
    """All records of a file that is in memory; see `line_blocks`."""
    import polars as pl

    return pl.concat(line_blocks(io.BytesIO(content), wanted, name=name, python=python, malformed=malformed))


def line_blocks(
    file: BinaryIO,
    wanted: Mapping[str, tuple[str, Kind]],
    *,
    name: str,
    python: bool = False,
    may_be_empty: Sequence[str] = (),
    malformed: Malformed = "error",
) -> Iterator[pl.DataFrame]:
    """The wanted fields of all records, in one table or more; blank lines are no records.

    Args:
        file: UTF-8, from its first byte.
        wanted: our column -> the record's key, and its kind: ``int``, ``float``, which integers count as too, ``str``,
            `Name`, or a `Written` time, which becomes milliseconds.
        name: the file's, for messages.
        python: the lines are Python dictionaries; read about ten times as slowly.
        may_be_empty: which of ours a record may lack; they become null.
        malformed: ``drop`` leaves out what cannot be read and warns with the count, at the end.

    Raises:
        UserError: lines that are no record or lack a field; counts them and names the first.
    """
    import polars as pl

    kinds = {int: pl.Int64(), float: pl.Float64()}
    schema = {ours: kinds.get(kind, pl.String()) for ours, (_, kind) in wanted.items()}  # type: ignore[arg-type]
    columns: dict[str, list[Any]] = {ours: [] for ours in wanted}
    times = {ours: kind for ours, (_, kind) in wanted.items() if isinstance(kind, Written)}
    wrong, places, unusable = Wrong(name), [], []

    def table() -> pl.DataFrame:
        """The records so far, less those whose times are written in another way."""
        rows = pl.DataFrame(columns, schema=schema)
        rows = rows.with_columns(kind.milliseconds(rows[ours]) for ours, kind in times.items())
        good = rows.select(pl.all_horizontal(pl.exclude(list(may_be_empty)).is_not_null())).to_series()
        wrong.add(sorted(unusable + [place for place, fine in zip(places, good, strict=True) if not fine]))
        return rows.filter(good)

    for number, record in records(file, python=python):
        values = [_value(record.get(theirs), kind) if record else None for theirs, kind in wanted.values()]
        if not record or not all(v is not None or ours in may_be_empty for v, ours in zip(values, wanted, strict=True)):
            unusable.append(number)
            continue
        places.append(number)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        if len(places) == _AT_ONCE:
            yield table()
            columns, places, unusable = {ours: [] for ours in wanted}, [], []
    last = table()
    keys = ", ".join(theirs for theirs, _ in wanted.values())
    wrong.settle(malformed, wrong.records, f"; each must be a record with {keys}. Is it the right file, and whole?")
    yield last


def records(lines: bytes | Iterable[bytes], *, python: bool = False) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line number, from 1, and record of each line that is not blank; ``None`` for what is no record.

    Args:
        lines: an open file, or its whole content.
        python: the lines are Python dictionaries.
    """
    parse: Callable[[str], Any] = ast.literal_eval if python else json.loads
    for number, line in enumerate(io.BytesIO(lines) if isinstance(lines, bytes) else lines, 1):
        if not line.strip():
            continue
        try:
            record = parse(line.decode("utf-8").strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):  # all that the two raise; bad UTF-8 too
            record = None
        yield number, record if isinstance(record, dict) else None


def _value(value: Any, kind: Kind) -> Any:
    """What a field holds, ``None`` for what is not of the kind or empty."""
    if kind is Name:
        word = value if isinstance(value, str) else json.dumps(value)
        return word if word and isinstance(value, str | int | float) else None
    if kind is str or isinstance(kind, Written):
        return value if isinstance(value, str) and value else None
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float):
        return None
    # What does not fit into 64 bits is no number of ours, nor is NaN.
    return value if -(2**63) <= value < 2**63 or (kind is float and math.isfinite(value)) else None
