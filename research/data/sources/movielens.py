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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
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
_LICENCE = {
    "latest-small": "GroupLens: non-commercial, redistribution under the same terms",
    "25m": "GroupLens: non-commercial",
    "32m": "GroupLens: non-commercial",
}
_REDISTRIBUTION = {
    "latest-small": "redistribution is allowed under the same terms",
    "1m": "do not redistribute it",
    "10m": "do not redistribute it",
    "20m": "do not redistribute it",
}
HARPER = Citation(
    authors="Harper, F. Maxwell; Konstan, Joseph A.",
    year=2015,
    title="The MovieLens Datasets: History and Context",
    venue="ACM Transactions on Interactive Intelligent Systems 5(4), 19",
    doi="10.1145/2827872",
)
# Users, films, ratings, and bytes of the archive, as published.
_ABOUT = {
    "latest-small": (610, 9_724, 100_836, 978_202),
    "1m": (6_040, 3_706, 1_000_209, 5_917_549),
    "10m": (69_878, 10_681, 10_000_054, None),
    "20m": (138_493, 26_744, 20_000_263, 198_702_078),
    "25m": (162_541, 62_423, 25_000_095, 261_978_986),
    "32m": (200_948, 87_585, 32_000_204, 240_000_000),  # the archive: about
}


@dataclass(frozen=True, kw_only=True)
class MovieLens(Streamed):
    """The ratings of one size, with titles and genres where a place has ``movies.dat`` or ``movies.csv``.

    1M also has gender, age and occupation of its users, as its ``users.dat`` codes them.
    """

    size: Size
    """Which of the six."""

    def __post_init__(self) -> None:
        if self.size not in _SIZES:
            raise UserError(f"MovieLens has no size {self.size!r}. Known: {', '.join(_SIZES)}.")

    @property
    def name(self) -> str:
        return f"ml-{self.size}"

    @property
    def about(self) -> About:
        users, items, interactions, download_bytes = _ABOUT[self.size]
        return About(
            users=users,
            items=items,
            interactions=interactions,
            times="seconds",
            licence=_LICENCE.get(self.size, "GroupLens: research, no redistribution"),
            cite=(HARPER,),
            download_bytes=download_bytes,
        )

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

        users = [file("users", optional=True)] if self.size == "1m" else []
        return file("ratings", optional=False), file("movies", optional=True), *users

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        name = "ratings.dat" if "ratings.dat" in raw else "ratings.csv"
        layout, wanted = (DAT, DAT_COLUMNS) if name == "ratings.dat" else (Delimited(name=name), _CSV_COLUMNS)
        with opened(raw, name) as file:
            yield from layout.blocks(file, wanted, malformed=self.malformed)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        if "movies.dat" in raw:
            return titles_of_dat(raw["movies.dat"], "latin-1" if self.size == "1m" else "utf-8")
        if "movies.csv" in raw:
            rows = csv.DictReader(io.StringIO(raw["movies.csv"].decode("utf-8-sig"), newline=""))
            return {row["movieId"]: row["title"].strip() for row in rows}
        return None

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        if "movies.dat" in raw:
            return genres_of_dat(raw["movies.dat"], "latin-1" if self.size == "1m" else "utf-8")
        if "movies.csv" in raw:
            rows = csv.DictReader(io.StringIO(raw["movies.csv"].decode("utf-8-sig"), newline=""))
            return genres({row["movieId"]: row["genres"] or "" for row in rows})
        return None

    def user_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        return users_of_dat(raw["users.dat"]) if "users.dat" in raw else None


_KINDS = {"user": int, "item": int, "rating": float, "time": int}
_CSV_COLUMNS = {
    "user": ("userId", int),
    "item": ("movieId", int),
    "rating": ("rating", float),
    "time": ("timestamp", int),
}
DAT_COLUMNS = {name: (name, kind) for name, kind in _KINDS.items()}
DAT = Delimited(name="ratings.dat", separator="::", columns=tuple(_KINDS), quote=None)
"""``user::item::rating::time``, half stars or whole ones."""


def titles_of_dat(content: bytes, encoding: str) -> dict[str, str]:
    """``id::title (year)::genres``; a title may hold colons, even two."""
    rows = [line.split("::") for line in content.decode(encoding).splitlines() if line.strip()]
    return {row[0]: "::".join(row[1:-1]).strip() for row in rows}


def genres_of_dat(content: bytes, encoding: str) -> pl.DataFrame:
    """The same file's genres, ``A|B|C``."""
    rows = [line.split("::") for line in content.decode(encoding).splitlines() if line.strip()]
    return genres({row[0]: row[-1] for row in rows})


def genres(listed: Mapping[str, str]) -> pl.DataFrame:
    """``item`` and its list ``genre``, from ``A|B|C``."""
    import polars as pl

    lists = [[genre for genre in text.strip().split("|") if genre not in _NO_GENRE] for text in listed.values()]
    return pl.DataFrame({"item": list(listed), "genre": pl.Series(lists, dtype=pl.List(pl.String))})


_NO_GENRE = ("", "(no genres listed)")


def users_of_dat(content: bytes) -> pl.DataFrame:
    """``id::gender::age::occupation::zip``; age is a class, occupation a number, as the file's README lists them."""
    import polars as pl

    rows = [line.split("::")[:4] for line in content.decode("latin-1").splitlines() if line.strip()]
    return pl.DataFrame(rows, ["user", "gender", "age", "occupation"], orient="row")
