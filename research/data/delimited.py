"""A delimited table of a public log: the columns that are wanted, typed; wrong rows are counted and located.

The file is read in blocks of whole rows, so it may be larger than memory; polars parses a block at once. Only where
that fails is a block read again row by row, to say which lines are wrong. A separator may have several characters, as
in MovieLens' ``1::122::5::838985046``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from research.data.clock import Written
from research.data.malformed import Malformed, Wrong
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

Rows = Any
"""What ``csv.reader`` returns; the type has no public name."""

Kind = type | Written
"""Of a column: ``int``, ``float``, ``str``, or a time and how it is written."""

PORTION = 32 * 1024 * 1024
"""Bytes of a block."""


@dataclass(frozen=True, kw_only=True)
class Delimited:
    """How a file is laid out."""

    name: str
    """The file's, for messages."""
    separator: str = ","
    columns: Sequence[str] = ()
    """Names of all columns in order, when the file has no header line."""
    quote: str | None = '"'
    """None: a quotation mark is a character as any other, and no field holds a line break."""
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    mend: str = "Is it the right file, and whole?"
    """The end of the message about rows that cannot be used."""
    ragged: bool = False
    """Whether a row may have more fields than there are columns; they are left out."""

    def read(
        self,
        content: bytes,
        wanted: Mapping[str, tuple[str, Kind]],
        *,
        may_be_empty: Sequence[str] = (),
        malformed: Malformed = "error",
    ) -> pl.DataFrame:
        """All rows of a file that is in memory; see `blocks`."""
        import polars as pl

        return pl.concat(self.blocks(io.BytesIO(content), wanted, may_be_empty=may_be_empty, malformed=malformed))

    def blocks(
        self,
        file: BinaryIO,
        wanted: Mapping[str, tuple[str, Kind]],
        *,
        may_be_empty: Sequence[str] = (),
        malformed: Malformed = "error",
    ) -> Iterator[pl.DataFrame]:
        """The wanted columns of all rows, in file order, in one table or more; blank lines are no rows.

        Args:
            file: from its first byte.
            wanted: our column name -> the file's, and its kind; a `Written` time becomes milliseconds.
            may_be_empty: which of ours may have empty fields; they become null.
            malformed: ``drop`` leaves out what cannot be read and warns with the count, at the end.

        Raises:
            UserError: a column is missing, the file is empty, or rows are malformed; these are counted to the end.
        """
        wrong, line, utf8 = Wrong(self.name), 1, True
        header, asked = list(self.columns), _Asked(wanted, may_be_empty)
        for number, portion in enumerate(self._portions(file)):
            content = self._plain(portion)
            if number == 0:
                content = content.removeprefix(b"\xef\xbb\xbf")
                if not header:
                    first, _, content = content.partition(b"\n")
                    header, line = self.header(first), 2
                self._check(header, wanted)
            table, lines = self._table(content, header, asked)
            wrong.add(line + offset for offset in lines)
            utf8 = utf8 and (not lines or _is_utf8(content))
            line += content.count(b"\n")
            if not wrong.count or malformed == "drop":
                yield table
        if line == 1 and not self.columns:
            raise UserError(f"{self.name} is empty.")
        wrong.settle(malformed, wrong.rows, f". {self.mend}{'' if utf8 else ' It is not UTF-8: convert it first.'}")

    def _check(self, header: list[str], wanted: Mapping[str, tuple[str, Kind]]) -> None:
        if absent := [theirs for theirs, _ in wanted.values() if theirs not in header]:
            raise UserError(
                f"{self.name} has no column {absent[0]!r}; its columns are {', '.join(header)}. Is it the right file?"
            )

    def _portions(self, file: BinaryIO) -> Iterator[bytes]:
        """The file in blocks of whole rows; one of nothing for an empty file without a header line."""
        rest, some = b"", False
        while portion := file.read(PORTION):
            rest += portion
            if end := self._end(rest):
                yield rest[:end]
                rest, some = rest[end:], True
        if rest or (self.columns and not some):
            yield rest

    def _end(self, content: bytes) -> int:
        """Where the last row that is whole ends."""
        last = content.rfind(b"\n") + 1
        if self.quote is None or content.count(self.quote.encode(), 0, last) % 2 == 0:
            return last
        # An odd number of quotation marks: the last row may go on. Where it begins is known when all have been read.
        begins = [first for first, _, _ in _each(self._rows(_lines(content[:last])))]
        return sum(len(line) for line in islice(io.BytesIO(content), begins[-1]))

    def _plain(self, content: bytes) -> bytes:
        """UTF-8 with a separator of one character."""
        if self.encoding != "utf-8":
            content = content.decode(self.encoding).encode()
        if len(self.separator) > 1:
            # Only numbers stand between such separators in the files that have them, so no field is torn apart.
            content = content.replace(self.separator.encode(), self.separator[0].encode())
        return content

    def header(self, line: bytes) -> list[str]:
        """Names of the columns.

        Raises:
            UserError: the line is empty.
        """
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        if not text:
            raise UserError(f"{self.name} is empty.")
        return next(self._rows([text]), [])

    def _rows(self, lines: Iterable[str]) -> Rows:
        if self.quote is None:
            return csv.reader(lines, delimiter=self.separator[0], quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.separator[0], quotechar=self.quote)

    def _table(self, content: bytes, header: list[str], asked: _Asked) -> tuple[pl.DataFrame, list[int]]:
        """The rows of a block that can be used, and the lines, from 0, where each of the others begins."""
        try:
            return self._parse(content, header, asked), []
        except _UnusableError as reason:
            wrong = [where for where, good in self._judged(content, header, asked) if not good]
            try:
                return self._parse(_without(content, wrong), header, asked, judged=True), [first for first, _ in wrong]
            except _UnusableError:
                raise UserError(f"{self.name} cannot be read as a table: {reason}") from None

    def _parse(self, content: bytes, header: list[str], asked: _Asked, judged: bool = False) -> pl.DataFrame:
        """A block as a table. Unless it has been judged, a row of nothing is no blank line but suspicious.

        Raises:
            _UnusableError: not a table of such columns.
        """
        import polars as pl

        kinds = {int: pl.Int64(), float: pl.Float64()}
        place = {ours: str(header.index(theirs)) for ours, (theirs, _) in asked.wanted.items()}
        dtypes = {place[ours]: kinds.get(kind, pl.String()) for ours, (_, kind) in asked.wanted.items()}  # type: ignore[arg-type]
        # A header line of our own: the first row of a block need not have all fields.
        numbers = self.separator[0].join(map(str, range(len(header)))).encode()
        try:
            table = pl.read_csv(
                io.BytesIO(numbers + b"\n" + content),
                schema={str(k): dtypes.get(str(k), pl.String()) for k in range(len(header))},
                columns=sorted(dtypes, key=int),
                separator=self.separator[0],
                quote_char=self.quote,
                truncate_ragged_lines=self.ragged,
            )
        except pl.exceptions.PolarsError as error:
            raise _UnusableError(str(error).partition("\n")[0]) from error
        if judged:
            table = table.filter(~pl.all_horizontal(pl.all().is_null()))
        table = table.select(**place)
        missing = table.null_count().row(0, named=True)
        for ours, (_, kind) in asked.wanted.items():
            if isinstance(kind, Written):
                table = table.with_columns(kind.milliseconds(table[ours]))
            elif kind is float:
                table = table.with_columns(pl.when(pl.col(ours).is_finite()).then(pl.col(ours)))
            elif kind is str and self.quote:  # a quoted field of nothing is as empty as one without marks
                table = table.with_columns(pl.col(ours).replace("", None))
                missing[ours] = table[ours].null_count()
        nulls = table.null_count().row(0, named=True)
        if any(nulls[ours] and (ours not in asked.may_be_empty or nulls[ours] > missing[ours]) for ours in nulls):
            raise _UnusableError("empty fields")
        return table

    def _judged(self, content: bytes, header: list[str], asked: _Asked) -> list[tuple[tuple[int, int], bool]]:
        """First and last line, from 0, of each row, and whether it can be used. Slow; only where a block cannot."""
        import polars as pl

        asked_for = [(theirs, kind, ours in asked.may_be_empty) for ours, (theirs, kind) in asked.wanted.items()]
        columns = [(header.index(theirs), kind, empty) for theirs, kind, empty in asked_for]
        where, good = [], []
        times: dict[int, list[str]] = {place: [] for place, kind, _ in columns if isinstance(kind, Written)}
        for first, last, row in _each(self._rows(_lines(content))):
            if row == []:
                continue
            row = row or []
            fields = row + [""] * (len(header) - len(row))
            where.append((first, last))
            fits = len(fields) == len(header) or self.ragged
            good.append(fits and all(_usable(fields[place], kind, empty) for place, kind, empty in columns))
            for place, texts in times.items():
                texts.append(fields[place])
        for place, kind, empty in columns:
            if isinstance(kind, Written):
                written = kind.milliseconds(pl.Series(times[place], dtype=pl.String)).is_not_null()
                good = [a and (b or (empty and not c)) for a, b, c in zip(good, written, times[place], strict=True)]
        return list(zip(where, good, strict=True))


@dataclass(frozen=True)
class _Asked:
    wanted: Mapping[str, tuple[str, Kind]]
    may_be_empty: Sequence[str]


class _UnusableError(Exception):
    """A block that is no table as it stands; the message is the reason."""


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(content: bytes) -> Iterator[str]:
    for line in io.BytesIO(content):
        yield line.decode("utf-8", errors="replace")


def _each(rows: Rows) -> Iterator[tuple[int, int, list[str] | None]]:
    """First and last line, from 0, and fields of each row; ``None`` for a row that is longer than any row may be."""
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


_WHOLE = re.compile(r" *[+-]?[0-9]{1,19}")


def _usable(text: str, kind: Kind, may_be_empty: bool) -> bool:
    """What polars reads as such a value."""
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


def _without(content: bytes, rows: Sequence[tuple[int, int]]) -> bytes:
    """The content less the lines of those rows."""
    dropped = {number for first, last in rows for number in range(first, last + 1)}
    return b"".join(line for number, line in enumerate(io.BytesIO(content)) if number not in dropped)
