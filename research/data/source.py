"""What a dataset says about itself: its raw files, its terms, how they become rows. One class a dataset."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from research.data.raw import RawFile, Terms
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


class Source(ABC):
    """A dataset: a frozen dataclass whose fields are the keys of ``configs/data/<name>.yaml``."""

    version: ClassVar[int] = 1
    """Raised when `read` changes what it returns: prepared data of the old version is then not used."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The dataset's name, as in ``data=NAME``."""

    @property
    def terms(self) -> Terms | None:
        """Shown on first use."""
        return None

    def files(self) -> tuple[RawFile, ...]:
        """What is fetched."""
        return ()

    def fingerprint(self) -> str:
        """What else the rows depend on beside pinned hashes and fields, such as a user's file."""
        return ""

    @abstractmethod
    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        """Columns ``user``, ``item`` and, where there are any, ``time`` (seconds, integer) and ``rating``.

        What else the files say of an interaction comes in columns of these names: ``behaviour``, ``scenario`` and
        ``domain`` (strings or integers), ``session`` (an id), ``latitude`` and ``longitude`` (degrees),
        ``exact_time`` (false where a time is known only roughly). Preparation leaves them aside so far.

        Args:
            raw: the content of `files` by name.

        Returns:
            Rows in file order, or in the order of a time finer than seconds. Ids are strings or integers.
        """

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        """Item titles by the source's own item id, where the fetched files have them."""
        return None


def read_integers(content: bytes, columns: list[str], separator: str, name: str) -> pl.DataFrame:
    """A table of integers without a header line, in file order.

    Raises:
        UserError: not such a table. A pinned file never is; a hand-made one may be.
    """
    import polars as pl

    try:
        return pl.read_csv(
            io.BytesIO(content),
            has_header=False,
            separator=separator,
            schema=dict.fromkeys(columns, pl.Int64()),
            quote_char=None,
        )
    except pl.exceptions.PolarsError as error:
        raise UserError(f"{name} is not a table of {len(columns)} integers a line: {error}") from error
