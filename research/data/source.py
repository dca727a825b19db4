"""What a dataset says about itself: its raw files, its terms, how they become rows. One class a dataset."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from research.data.about import About
from research.data.delimited import Delimited, Malformed
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

    @property
    def about(self) -> About:
        """Published counts, licence, citation: what can be said before anything is fetched."""
        return About()

    def files(self) -> tuple[RawFile, ...]:
        """What is fetched."""
        return ()

    def fingerprint(self) -> str:
        """What else the rows depend on beside pinned hashes and fields, such as a user's file."""
        return ""

    @abstractmethod
    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        """Columns ``user``, ``item`` and, where there are any, ``time`` (seconds, integer) and ``rating``.

        What else the files say of an interaction comes in further columns and is carried along as codes: ``behaviour``,
        ``scenario``, ``domain`` (strings or integers), ``session`` (an id), ``exact_time`` (false where a time is known
        only roughly), or any other. A null is unknown. ``rating``, ``latitude`` and ``longitude`` (degrees) are no
        categories and are left aside.

        Args:
            raw: the content of `files` by name.

        Returns:
            Rows in file order, or in the order of a time finer than seconds. Ids are strings or integers.
        """

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        """The rows of `read` in tables of any sizes, one after the other; this is what preparation reads.

        A source of large files derives from `research.data.text_source.Streamed`.
        """
        yield self.read(raw)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        """Item titles by the source's own item id, where the fetched files have them."""
        return None

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """A column ``item`` and, for each feature, values or lists of values, where the fetched files have them."""
        return None

    def user_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """Likewise with a column ``user``."""
        return None


def read_integers(
    content: bytes, columns: list[str], separator: str, name: str, malformed: Malformed = "error"
) -> pl.DataFrame:
    """A table of integers without a header line, in file order.

    Raises:
        UserError: not such a table. A pinned file never is; a hand-made one may be.
    """
    layout = Delimited(name=name, separator=separator, columns=columns, quote=None)
    try:
        return layout.read(content, {column: (column, int) for column in columns}, malformed=malformed)
    except UserError as error:
        raise UserError(f"{name} is not a table of {len(columns)} integers a line: {error}") from error
