"""MovieLens with times, in six sizes: ratings of films from 1995 to 2023, whole or half stars.

| size         | users   | films  | ratings    | written as                          |
|--------------|---------|--------|------------|-------------------------------------|
| latest-small | 610     | 9,724  | 100,836    | ``ratings.csv``; edition of 9/2018  |
| 1m           | 6,040   | 3,706  | 1,000,209  | ``ratings.dat``, with ``::`` between |
| 10m          | 69,878  | 10,681 | 10,000,054 | ``ratings.dat``, half stars         |
| 20m          | 138,493 | 26,744 | 20,000,263 | ``ratings.csv``                     |
| 25m          | 162,541 | 62,423 | 25,000,095 | ``ratings.csv``                     |
| 32m          | 200,948 | 87,585 | 32,000,204 | ``ratings.csv``                     |

For 10m, 25m and 32m the films are those that are listed, some without a rating. Every rating counts as an
interaction, whatever its stars. Times are seconds and many tie: they keep the file's order. In 1M a stable sort by
(time, row) gives SASRec's ``ml-1m.txt`` for all users; any other rule for ties gives other last items and so other
numbers. ``latest-small`` is renewed by its publisher; the edition is pinned by the archive's checksum.

Source: https://grouplens.org/datasets/movielens/ (F. M. Harper and J. A. Konstan, 2015: The MovieLens Datasets:
History and Context. ACM TiiS 5(4), 19). Licence: GroupLens, research; 1M, 10M and 20M may not be redistributed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

Size = Literal["latest-small", "1m", "10m", "20m", "25m", "32m"]

# The folder in the archive, how its files end, and the archive's checksum as the publisher states it.
_SIZES = {
    "latest-small": ("ml-latest-small", "csv", "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"),
    "1m": ("ml-1m", "dat", "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"),
    "10m": ("ml-10M100K", "dat", ""),
    "20m": ("ml-20m", "csv", "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3"),
    "25m": ("ml-25m", "csv", "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa"),
    "32m": ("ml-32m", "csv", ""),
}
_URLS = ("https://files.grouplens.org/datasets/movielens/", "http://files.grouplens.org/datasets/movielens/")
_REDISTRIBUTION = {
    "latest-small": "redistribution is allowed under the same terms",
    "1m": "do not redistribute it",
    "10m": "do not redistribute it",
    "20m": "do not redistribute it",
}


@dataclass(frozen=True, kw_only=True)
class MovieLens(Source):
    """The ratings of one size, with titles where a place has ``movies.dat`` or ``movies.csv``."""

    size: Size
    """Which of the six."""

    def __post_init__(self) -> None:
        if self.size not in _SIZES:
            raise UserError(f"MovieLens has no size {self.size!r}. Known: {', '.join(_SIZES)}.")

    @property
    def name(self) -> str:
        return f"ml-{self.size}"

    @property
    def terms(self) -> Terms:
        spread = _REDISTRIBUTION.get(self.size, "read its licence before you redistribute it")
        return Terms(
            f"MovieLens {self.size} belongs to the GroupLens Research Project at the University of Minnesota. Use it "
            f"for research, not for commercial purposes; {spread}; cite Harper and Konstan (2015), "
            "doi:10.1145/2827872.",
            f"{_URLS[0]}{self.name}-README.{'txt' if self.size == '1m' else 'html'}",
        )

    def files(self) -> tuple[RawFile, ...]:
        folder, ending, sha256 = _SIZES[self.size]
        checksum = f"sha256:{sha256}" if sha256 else ""

        def file(stem: str, optional: bool) -> RawFile:
            member = f"{folder}/{stem}.{ending}"
            loose = dict.fromkeys((member, f"{self.name}/{stem}.{ending}"))  # a bare ratings.csv could be of any size
            zips = (f"{self.name}.zip", f"{self.name}/{self.name}.zip")
            return RawFile(
                name=f"{stem}.{ending}",
                places=(*map(Place, loose), *(Place(at, member, checksum) for at in zips)),
                urls=tuple(Place(f"{url}{self.name}.zip", member, checksum) for url in _URLS),
                max_bytes=2 * GIBIBYTE,
                optional=optional,
            )

        return file("ratings", optional=False), file("movies", optional=True)

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        if "ratings.dat" in raw:
            return read_dat(raw["ratings.dat"])
        layout = Delimited(name="ratings.csv")
        names = {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"}
        return layout.read(raw["ratings.csv"], {ours: (theirs, _KINDS[ours]) for ours, theirs in names.items()})

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        if "movies.dat" in raw:
            return titles_of_dat(raw["movies.dat"], "latin-1" if self.size == "1m" else "utf-8")
        if "movies.csv" in raw:
            rows = csv.DictReader(io.StringIO(raw["movies.csv"].decode("utf-8-sig"), newline=""))
            return {row["movieId"]: row["title"].strip() for row in rows}
        return None


_KINDS = {"user": int, "item": int, "rating": float, "time": int}


def read_dat(content: bytes) -> pl.DataFrame:
    """``user::item::rating::time``, half stars or whole ones."""
    layout = Delimited(name="ratings.dat", separator="::", columns=tuple(_KINDS), quote=None)
    return layout.read(content, {name: (name, kind) for name, kind in _KINDS.items()})


def titles_of_dat(content: bytes, encoding: str) -> dict[str, str]:
    """``id::title (year)::genres``; a title may hold colons, even two."""
    rows = [line.split("::") for line in content.decode(encoding).splitlines() if line.strip()]
    return {row[0]: "::".join(row[1:-1]).strip() for row in rows}
