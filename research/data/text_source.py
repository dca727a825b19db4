"""Sources of text files: what happens to malformed rows, and how files larger than memory are read.

Annotations are evaluated here, unlike elsewhere: a field that other modules inherit must bring its own type, as it is
looked up in the module of the class that inherits it.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.malformed import Malformed
from research.data.source import Source

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class TextSource(Source):
    """A dataset of text files, in which a row may be malformed."""

    malformed: Malformed = "error"
    """Rows that cannot be read are an error that counts them, or are dropped with a warning that does."""


class Streamed(TextSource):
    """A dataset that is read in blocks, as its files may be larger than memory.

    Where times are finer than seconds, blocks have the rows in file order and a column ``moment``, an integer that
    orders them in time; ``time`` is in seconds as ever. Preparation sorts by it.
    """

    @abstractmethod
    def blocks(self, raw: Mapping[str, bytes]) -> "Iterator[pl.DataFrame]":
        """At least one table, all with the same columns; see `research.data.raw.opened` for how to read a file."""

    def read(self, raw: Mapping[str, bytes]) -> "pl.DataFrame":
        """All blocks in one table, in the order of ``moment`` where there is one."""
        import polars as pl

        rows = pl.concat(self.blocks(raw))
        return rows.sort("moment", maintain_order=True).drop("moment") if "moment" in rows.columns else rows
