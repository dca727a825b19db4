"""Two categories of Amazon with the people who bought in both: two domains with true times, one log.

A user is kept who has at least ``min_each`` reviews in each category; the column ``domain`` says which one a row is of.
Unlike ``toy-game``, which has only an order, times are kept: whole days in 2014 and 2018, seconds in 2023. Where two
rows have the same, those of the first category come first. A product that stands in both categories is one item. The
rows of both are held in memory.

Source: as ``amazon-2014``, ``amazon-2018`` and ``amazon-2023``, whose files, settings and terms are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About
from research.data.raw import RawFile, RawFiles, Terms
from research.data.source import Source
from research.data.sources.amazon import AmazonReviews
from research.data.sources.amazon_2023 import Amazon2023
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class AmazonPair(TextSource):
    """Two categories of one year."""

    year: Literal[2014, 2018, 2023] = 2023
    """Which collection."""
    first: str = "Toys_and_Games"
    """A category, as the publisher's file names write it."""
    second: str = "Video_Games"
    """Another one."""
    core: Literal["5core", "all"] = "5core"
    """Which file of each."""
    min_each: int = 3
    """Fewest reviews of a user in each category."""

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise UserError(f"amazon-pair: first and second are both {self.first!r}.")
        if self.min_each < 1:
            raise UserError(f"amazon-pair: min_each is {self.min_each}; at least 1 is needed.")
        self.parts()  # they check what is theirs

    def parts(self) -> tuple[Source, Source]:
        """The two categories."""

        def part(category: str) -> Source:
            if self.year == 2023:
                return Amazon2023(category=category, core=self.core, malformed=self.malformed)
            return AmazonReviews(year=self.year, category=category, core=self.core, malformed=self.malformed)

        return part(self.first), part(self.second)

    @property
    def name(self) -> str:
        first, second = (part.name.removeprefix(f"amazon-{self.year}-") for part in self.parts())
        return f"amazon-pair-{self.year}-{first.removesuffix('-5core')}-{second}"

    @property
    def about(self) -> About:
        one = self.parts()[0].about
        return About(times=one.times, licence=one.licence, cite=one.cite)

    @property
    def terms(self) -> Terms | None:
        return self.parts()[0].terms

    def files(self) -> tuple[RawFile, ...]:
        return tuple(file for part in self.parts() for file in part.files())

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        rows = pl.concat(
            part.read(self._own(part, raw)).with_columns(domain=pl.lit(category))
            for part, category in zip(self.parts(), (self.first, self.second), strict=True)
        )
        enough = (
            rows.group_by("user", "domain")
            .len()
            .filter(pl.col("len") >= self.min_each)
            .group_by("user")
            .len()
            .filter(pl.col("len") == 2)
        )
        return rows.filter(pl.col("user").is_in(enough["user"].implode())).sort("time", maintain_order=True)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        found = [part.titles(self._own(part, raw)) for part in self.parts()]
        return (found[0] or {}) | (found[1] or {}) if any(found) else None

    @staticmethod
    def _own(part: Source, raw: Mapping[str, bytes]) -> Mapping[str, bytes]:
        names = [file.name for file in part.files() if file.name in raw]
        return RawFiles({n: raw.paths[n] for n in names}) if isinstance(raw, RawFiles) else {n: raw[n] for n in names}
