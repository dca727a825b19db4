"""One record a line, as JSON or as a Python dictionary's text: the fields that are wanted, typed, in file order.

McAuley's review files of 2018 are JSON; his older files and Steam's are what Python printed, with ``u'...'`` and
single quotes. Those are read with ``ast.literal_eval``, which knows literals only: nothing in a file is executed.
"""

from __future__ import annotations

import ast
import io
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from research.data.delimited import Malformed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_AT_ONCE = 100_000  # records: bounds the Python objects that live at a time


def read_lines(
    content: bytes,
    wanted: Mapping[str, tuple[str, type]],
    *,
    name: str,
    python: bool = False,
    malformed: Malformed = "error",
) -> pl.DataFrame:
    """A table of the wanted fields; blank lines are no records.

    Args:
        content: UTF-8.
        wanted: our column -> the record's key, and ``int``, ``float`` or ``str``. Integers count as ``float`` too.
        name: the file's, for messages.
        python: the lines are Python dictionaries; read about ten times as slowly.
        malformed: ``drop`` leaves out what cannot be read and warns with the count.

    Raises:
        UserError: lines that are no record or lack a field; counts them and names the first.
    """
    import polars as pl

    kinds = {int: pl.Int64(), float: pl.Float64(), str: pl.String()}
    schema = {ours: kinds[kind] for ours, (_, kind) in wanted.items()}
    columns: dict[str, list[Any]] = {ours: [] for ours in wanted}
    frames, wrong = [pl.DataFrame(schema=schema)], []
    for number, record in records(content, python=python):
        values = [record.get(theirs) if record else None for theirs, _ in wanted.values()]
        if not all(_fits(value, kind) for value, (_, kind) in zip(values, wanted.values(), strict=True)):
            wrong.append(number)
            continue
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
        if len(columns[next(iter(columns))]) == _AT_ONCE:
            frames.append(pl.DataFrame(columns, schema=schema))
            columns = {ours: [] for ours in wanted}
    if wrong:
        few = ", ".join(map(str, wrong[:5])) + (", ..." if len(wrong) > 5 else "")
        keys = ", ".join(theirs for theirs, _ in wanted.values())
        said = f"{name}: {len(wrong):,} malformed line{'s' if len(wrong) > 1 else ''} ({few})"
        if malformed == "error":
            raise UserError(f"{said}; each must be a record with {keys}. Is it the right file, and whole?")
        warnings.warn(f"{said}; dropped", stacklevel=2)
    return pl.concat([*frames, pl.DataFrame(columns, schema=schema)])


def records(content: bytes, *, python: bool = False) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line number, from 1, and record of each line that is not blank; ``None`` for what is no record."""
    parse: Callable[[str], Any] = ast.literal_eval if python else json.loads
    for number, line in enumerate(io.BytesIO(content), 1):
        if not line.strip():
            continue
        try:
            record = parse(line.decode("utf-8").strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):  # all that the two raise; bad UTF-8 too
            record = None
        yield number, record if isinstance(record, dict) else None


def _fits(value: object, kind: type) -> bool:
    if kind is str:
        return isinstance(value, str) and value != ""
    return isinstance(value, int | float if kind is float else int) and not isinstance(value, bool)
