"""Your own interactions: CSV, TSV, JSON lines, Parquet, Arrow, or a data set that `datasets` loads by name.

The ending of the file's name says what it is. All of them are read in blocks, so a file may be larger than memory. A
row that lacks a user, an item or a time is never skipped silently: such rows are counted, and the first are named.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from research.data.about import About
from research.data.columns import NOT_CODES
from research.data.delimited import Delimited
from research.data.lines import Name, line_blocks
from research.data.tables import Hub, arrow_blocks, parquet_blocks, tidied
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_LATEST = 10**11  # seconds: the year 5138. Larger times are milliseconds or finer.
_ENDINGS = {
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "jsonl"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), "arrow"),
}


@dataclass(frozen=True, kw_only=True)
class Files(Streamed):
    """Rows with a user, an item and perhaps a time."""

    path: str = ""
    """The file; text is UTF-8."""
    hub: str = ""
    """Instead of a file: a data set on the Hugging Face hub, as owner/name, or a folder that `datasets` can load."""
    subset: str = ""
    """Of the hub's data set, where it has several."""
    part: str = "train"
    """Of the hub's data set."""
    format: Literal["auto", "text", "jsonl", "parquet", "arrow"] = "auto"
    """What the file is: text is CSV or TSV; auto: what the ending of its name says."""
    user: str = "user"
    """Name of the user column."""
    item: str = "item"
    """Name of the item column."""
    time: str | None = "time"
    """Name of the time column, seconds since 1970 UTC; null: the file's order is the time order."""
    carry: list[str] = field(default_factory=list)
    """Further columns that are carried along as categories, such as device or scenario; empty fields are unknown."""
    columns: list[str] = field(default_factory=list)
    """Names of all columns when a text has no header line."""
    separator: str = "auto"
    """Between columns of a text, one character; auto: a tab if the first line has one, else a comma."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", [str(column) for column in self.columns])
        object.__setattr__(self, "carry", [str(column) for column in self.carry])
        if taken := sorted({*NOT_CODES} & {*self.carry}):
            raise UserError(f"files: data.carry has {taken[0]!r}, which is no category. Rename that column.")
        if self.separator != "auto" and len(self.separator) != 1:
            raise UserError(f"files: separator is {self.separator!r}; it must be one character or 'auto'.")
        if self.path and self.hub:
            raise UserError("files: data.path and data.hub are both given; one of them is read.")

    @property
    def name(self) -> str:
        return Path(self.path or self.hub).stem or "files"

    @property
    def about(self) -> About:
        return About(users_are="yours", times="as in your file", licence="yours")

    def fingerprint(self) -> str:
        if self.hub:
            return self._hub.fingerprint
        with self._open() as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        for rows in self._tables():
            if self.time and not rows.is_empty() and rows.select(pl.col("time").abs().max()).item() > _LATEST:
                raise UserError(
                    f"{self.path or self.hub}: times in column {self.time!r} are too large for seconds since 1970; "
                    "are they milliseconds? Divide them by 1000."
                )
            yield rows

    @cached_property
    def _hub(self) -> Hub:
        return Hub(self.hub, self.subset, self.part)

    @property
    def _wanted(self) -> dict[str, str]:
        """Our column names and the file's."""
        return {"user": self.user, "item": self.item} | ({"time": self.time} if self.time else {})

    def _open(self) -> BufferedReader:
        if not self.path:
            raise UserError("data=files needs a file: add data.path=FILE, or data.hub=OWNER/NAME.")
        try:
            return Path(self.path).expanduser().open("rb")
        except OSError as error:
            raise UserError(f"Cannot read {self.path}: {error.strerror or error}. Check data.path.") from error

    def _tables(self) -> Iterator[pl.DataFrame]:
        names = [*dict.fromkeys((*self._wanted.values(), *self.carry))]
        if self.hub:
            return tidied(self._hub.blocks(names), self._wanted, self.carry, self.hub, self.malformed)
        kind = self.format if self.format != "auto" else _ENDINGS.get(Path(self.path).suffix.lower(), "text")
        if kind in ("parquet", "arrow"):
            self._open().close()  # whether it is there
            read = parquet_blocks if kind == "parquet" else arrow_blocks
            blocks = read(Path(self.path).expanduser(), names)
            return tidied(blocks, self._wanted, self.carry, self.path, self.malformed)
        return self._records() if kind == "jsonl" else self._text()

    def _records(self) -> Iterator[pl.DataFrame]:
        kinds = {"user": Name, "item": Name, "time": float}
        wanted = {ours: (theirs, kinds[ours]) for ours, theirs in self._wanted.items()}
        wanted |= {one: (one, Name) for one in self.carry}
        with self._open() as file:
            blocks = line_blocks(file, wanted, name=self.path, may_be_empty=self.carry, malformed=self.malformed)
            yield from map(self._seconds, blocks)

    def _text(self) -> Iterator[pl.DataFrame]:
        with self._open() as file:
            first = file.readline().removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace").rstrip("\r\n")
            file.seek(0)
            separator = ("\t" if "\t" in first else ",") if self.separator == "auto" else self.separator
            if first:
                self._check(self.columns or next(csv.reader([first], delimiter=separator), []))
            layout = Delimited(
                name=self.path,
                separator=separator,
                columns=self.columns,
                mend="Each row needs user, item" + (" and a time in seconds" if self.time else "") + ". Mend or remove "
                "them, or say data.malformed=drop.",
            )
            kinds = {"user": str, "item": str, "time": float}
            wanted = {ours: (theirs, kinds[ours]) for ours, theirs in self._wanted.items()}
            wanted |= {one: (one, str) for one in self.carry}
            yield from map(
                self._seconds, layout.blocks(file, wanted, may_be_empty=self.carry, malformed=self.malformed)
            )

    def _seconds(self, rows: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        return rows.with_columns(pl.col("time").floor().cast(pl.Int64)) if self.time else rows

    def _check(self, columns: Sequence[str]) -> None:
        for ours, theirs in {**self._wanted, **{one: one for one in self.carry}}.items():
            if theirs not in columns:
                mend = f"Set data.{ours} to one of them" + (", or data.time=null." if ours == "time" else ".")
                mend = "Mend data.carry." if theirs in self.carry else mend
                no_header = "" if self.columns else " No header line? Name the columns in data.columns."
                has = f"its columns are {', '.join(columns)}"
                raise UserError(f"{self.path} has no column {theirs!r}; {has}. {mend}{no_header}")
