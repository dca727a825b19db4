"""Your own interactions in one CSV or TSV file, with a header line or with column names that you give.

A malformed row is an error, never skipped silently: the message counts such rows and names the first lines.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_LATEST = 10**11  # seconds: the year 5138. Larger times are milliseconds or finer.


@dataclass(frozen=True, kw_only=True)
class Files(Source):
    """One text file of rows with a user, an item and perhaps a time."""

    path: str = ""
    """The file, UTF-8."""
    user: str = "user"
    """Name of the user column."""
    item: str = "item"
    """Name of the item column."""
    time: str | None = "time"
    """Name of the time column, seconds since 1970 UTC; null: the file's order is the time order."""
    columns: list[str] = field(default_factory=list)
    """Names of all columns when the file has no header line."""
    separator: str = "auto"
    """Between columns, one character; auto: a tab if the first line has one, else a comma."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", [str(column) for column in self.columns])
        if self.separator != "auto" and len(self.separator) != 1:
            raise UserError(f"files: separator is {self.separator!r}; it must be one character or 'auto'.")

    @property
    def name(self) -> str:
        return Path(self.path).stem or "files"

    def fingerprint(self) -> str:
        return hashlib.sha256(self._content()).hexdigest()

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        content = self._content().removeprefix(b"\xef\xbb\xbf")
        first_line = content.partition(b"\n")[0].decode("utf-8", errors="replace").rstrip("\r")
        separator = ("\t" if "\t" in first_line else ",") if self.separator == "auto" else self.separator
        columns = self.columns or next(csv.reader([first_line], delimiter=separator), [])
        wanted = self._wanted(columns)
        try:
            table = pl.read_csv(
                io.BytesIO(content),
                has_header=not self.columns,
                new_columns=columns,
                separator=separator,
                infer_schema=False,
            )
        except pl.exceptions.NoDataError:
            raise UserError(f"{self.path} is empty.") from None
        except pl.exceptions.PolarsError as error:
            self._refuse(content, columns, separator, str(error))
        # A blank line is read as a row of nothing.
        table = table.filter(~pl.all_horizontal(pl.all().is_null())).select(**wanted)
        malformed = pl.any_horizontal(pl.col("user", "item").is_null() | (pl.col("user", "item") == ""))
        if self.time:
            seconds = pl.col("time").str.strip_chars().cast(pl.Float64, strict=False)
            malformed |= seconds.is_null() | ~seconds.is_finite()
        if table.select(malformed.fill_null(True).any()).item():
            self._refuse(content, columns, separator, "")
        if not self.time:
            return table
        table = table.with_columns(seconds.floor().cast(pl.Int64).alias("time"))
        if not table.is_empty() and table.select(pl.col("time").abs().max()).item() > _LATEST:
            raise UserError(
                f"{self.path}: times in column {self.time!r} are too large for seconds since 1970; "
                "are they milliseconds? Divide them by 1000."
            )
        return table

    def _content(self) -> bytes:
        if not self.path:
            raise UserError("data=files needs a file: add data.path=FILE.")
        try:
            return Path(self.path).expanduser().read_bytes()
        except OSError as error:
            raise UserError(f"Cannot read {self.path}: {error.strerror or error}. Check data.path.") from error

    def _wanted(self, columns: list[str]) -> dict[str, str]:
        """Our column names and the file's."""
        wanted = {"user": self.user, "item": self.item} | ({"time": self.time} if self.time else {})
        for ours, theirs in wanted.items():
            if theirs not in columns:
                mend = f"Set data.{ours} to one of them" + (", or data.time=null." if ours == "time" else ".")
                no_header = "" if self.columns else " No header line? Name the columns in data.columns."
                has = f"its columns are {', '.join(columns)}"
                raise UserError(f"{self.path} has no column {theirs!r}; {has}. {mend}{no_header}")
        return wanted

    def _refuse(self, content: bytes, columns: list[str], separator: str, reason: str) -> NoReturn:
        """Read the file again, slowly and row by row, to say which lines are wrong.

        Raises:
            UserError: always.
        """
        try:
            lines = list(self._malformed(content.decode("utf-8"), columns, separator))
        except UnicodeDecodeError as error:
            raise UserError(f"{self.path} is not UTF-8 ({error}). Convert it first.") from None
        if not lines:
            raise UserError(f"{self.path} cannot be read as a table: {reason}")
        kinds = "user, item" + (" and a time in seconds" if self.time else "")
        more = ", ..." if len(lines) > 5 else ""
        raise UserError(
            f"{self.path}: {len(lines):,} malformed row{'s' if len(lines) > 1 else ''}, "
            f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:5]))}{more}. "
            f"Each row needs {kinds} in {len(columns)} columns. Mend or remove them."
        )

    def _malformed(self, text: str, columns: list[str], separator: str) -> Iterator[int]:
        """Line numbers, from 1, of rows that cannot be used."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        needed = [columns.index(name) for name in self._wanted(columns).values()]
        for number, row in enumerate(reader):
            if not row or (number == 0 and not self.columns):
                continue
            values = [row[place].strip() for place in needed if place < len(row)]
            usable = len(row) <= len(columns) and len(values) == len(needed) and all(values)
            if not (usable and (not self.time or _is_number(values[-1]))):
                yield reader.line_num


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
