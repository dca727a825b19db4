"""A delimited table of a public log: the columns that are wanted, typed; wrong rows are counted and located.

The whole table is parsed at once by polars. Only if that fails is it read again row by row, to say which lines are
wrong. A separator may have several characters, as in MovieLens' ``1::122::5::838985046``.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

Rows = Any
"""What ``csv.reader`` returns; the type has no public name."""

Malformed = Literal["error", "drop"]
"""What happens to rows that cannot be used: an error that counts them, or a warning that does."""


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

    def read(
        self,
        content: bytes,
        wanted: Mapping[str, tuple[str, type]],
        *,
        may_be_empty: Sequence[str] = (),
        malformed: Malformed = "error",
    ) -> pl.DataFrame:
        """The wanted columns of all rows, in file order; blank lines are no rows.

        Args:
            content: of the file.
            wanted: our column name -> the file's, and ``int``, ``float`` or ``str``.
            may_be_empty: which of ours may have empty fields; they become null.
            malformed: ``drop`` leaves out what cannot be read and warns with the count.

        Raises:
            UserError: a column is missing, the file is empty, or rows are malformed.
        """
        import polars as pl

        content = self._plain(content)
        header = list(self.columns) or self._header(content)
        if absent := [theirs for theirs, _ in wanted.values() if theirs not in header]:
            raise UserError(
                f"{self.name} has no column {absent[0]!r}; its columns are {', '.join(header)}. Is it the right file?"
            )
        kinds = {int: pl.Int64(), float: pl.Float64(), str: pl.String()}
        ours = {theirs: kinds[kind] for theirs, kind in wanted.values()}
        for attempt in (1, 2):
            try:
                table = pl.read_csv(
                    io.BytesIO(content),
                    has_header=not self.columns,
                    schema={name: ours.get(name, pl.String()) for name in header},
                    columns=sorted(header.index(theirs) for theirs in ours),
                    separator=self.separator[0],
                    quote_char=self.quote,
                )
                table = table.filter(~pl.all_horizontal(pl.all().is_null()))
                table = table.select(**{our: theirs for our, (theirs, _) in wanted.items()})
                needed = [our for our in wanted if our not in may_be_empty]
                if not table.select(pl.any_horizontal(pl.col(needed).is_null()).any()).item():
                    return table
                reason = "empty fields"
            except pl.exceptions.PolarsError as error:
                reason = str(error).partition("\n")[0]
            lines = list(self._malformed(content, header, wanted, may_be_empty))
            said = self._say(lines)
            if attempt == 2 or not lines:
                raise UserError(f"{self.name} cannot be read as a table: {said or reason}")
            if malformed == "error":
                raise UserError(f"{self.name}: {said}. Is it the right file, and whole?")
            warnings.warn(f"{self.name}: {said}; dropped", stacklevel=2)
            content = _without(content, lines)
        raise AssertionError("the second attempt returns or raises")

    def _plain(self, content: bytes) -> bytes:
        """UTF-8 with a separator of one character."""
        content = content.removeprefix(b"\xef\xbb\xbf")
        if self.encoding != "utf-8":
            content = content.decode(self.encoding).encode()
        if len(self.separator) > 1:
            # Only numbers stand between such separators in the files that have them, so no field is torn apart.
            content = content.replace(self.separator.encode(), self.separator[0].encode())
        return content

    def _header(self, content: bytes) -> list[str]:
        line = content.partition(b"\n")[0].decode("utf-8", errors="replace").rstrip("\r")
        if not line:
            raise UserError(f"{self.name} is empty.")
        return next(self._rows([line]), [])

    def _rows(self, lines: Sequence[str] | io.StringIO) -> Rows:
        if self.quote is None:
            return csv.reader(lines, delimiter=self.separator[0], quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.separator[0], quotechar=self.quote)

    def _malformed(
        self, content: bytes, header: list[str], wanted: Mapping[str, tuple[str, type]], may_be_empty: Sequence[str]
    ) -> Iterator[tuple[int, int]]:
        """First and last line, from 1, of each row that cannot be used. Slow; only for the message."""
        reader = self._rows(io.StringIO(content.decode("utf-8", errors="replace"), newline=""))
        places = [(header.index(theirs), kind, our in may_be_empty) for our, (theirs, kind) in wanted.items()]
        last = 0
        for number, row in enumerate(reader):
            first, last = last + 1, reader.line_num
            if not row or (number == 0 and not self.columns):
                continue
            if len(row) > len(header) or not all(
                _usable(row[place] if place < len(row) else "", kind, empty) for place, kind, empty in places
            ):
                yield first, last

    @staticmethod
    def _say(lines: Sequence[tuple[int, int]]) -> str:
        if not lines:
            return ""
        few = ", ".join(str(first) for first, _ in lines[:5]) + (", ..." if len(lines) > 5 else "")
        one = len(lines) == 1
        return f"{len(lines):,} malformed row{'' if one else 's'}, line{'' if one else 's'} {few}"


def _usable(text: str, kind: type, may_be_empty: bool) -> bool:
    if not text:
        return may_be_empty
    try:
        kind(text)
    except ValueError:
        return False
    return "�" not in text


def _without(content: bytes, lines: Sequence[tuple[int, int]]) -> bytes:
    """The content less those lines."""
    dropped = {number for first, last in lines for number in range(first, last + 1)}
    return b"".join(line for number, line in enumerate(io.BytesIO(content), 1) if number not in dropped)
