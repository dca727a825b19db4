"""MovieLens 1M put together from public copies: the rows and their order are exact, 8.65 % of the times are not.

For places where the official archive cannot be had. The 1,000,209 ratings stand in the official order, in two
parts; a third file flags every row. 0: the time was found; 1: it is forced by its neighbours (exact too); 2: it is
interpolated (86,472 rows; median error 15 s, 99 % within 442 s, at most 867 s on held-out rows). The order within
each user is exact, so next-item protocols are exact; windows in minutes, and splits at a point in time, are not
quite. Its name says that it is not ``ml-1m``: do not report its times as original data.

Source: the official MovieLens 1M (Harper and Konstan, 2015) by way of the public repositories that the set's own
note lists. Licence: GroupLens research licence, no commercial use, no redistribution.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from research.data.about import About
from research.data.raw import Place, RawFile, Terms
from research.data.sources.movielens import DAT, DAT_COLUMNS, HARPER, genres_of_dat, titles_of_dat, users_of_dat
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_PAGE = "https://grouplens.org/datasets/movielens/1m/ (the original: data=ml-1m) or whoever gave you this copy"


@dataclass(frozen=True, kw_only=True)
class MovieLens1MParts(TextSource):
    """``ratings.dat`` in two parts, with the column ``exact_time``."""

    @property
    def name(self) -> str:
        return "ml-1m-parts"

    @property
    def about(self) -> About:
        return About(
            users=6_040,
            items=3_706,
            interactions=1_000_209,
            times="seconds, 8.65 % interpolated",
            licence="GroupLens: research, no redistribution",
            cite=(HARPER,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "MovieLens 1M belongs to the GroupLens Research Project at the University of Minnesota. Use it for "
            "research, not for commercial purposes; do not redistribute it; cite Harper and Konstan (2015), "
            "doi:10.1145/2827872. In this copy 86,472 of 1,000,209 times are interpolated; the order is exact.",
            "https://files.grouplens.org/datasets/movielens/ml-1m-README.txt",
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(name: str, sha256: str, optional: bool = False) -> RawFile:
            places = tuple(Place(f"{folder}{name}{packed}") for folder in ("ml-1m/", "") for packed in ("", ".gz"))
            return RawFile(name=name, sha256=sha256, places=places, optional=optional, page=_PAGE)

        return (
            file("ratings.dat.part1", "91cbb9b397645c06ae7ee73a1a149844d6ea11b1127224e34d4c68415fa13e03"),
            file("ratings.dat.part2", "49b4518dd7b6fcc8ac9ed77e27933ad3816f546f4cb05148f0e443d8ebcb7bd9"),
            file("ratings_ts_source.npz", "3ec7e2ed35529efa456459d54d6c8d126bf5d038e4883db66e44b29a77b55e0c"),
            file("movies.dat", "0140fc2356357c1a851d0f52e893a1e4d3696df632c4141cea8d5bc3d621f0b9", optional=True),
            file("users.dat", "1dc3a95300cb19f7c10e027daf29b8cdf1d908dab65b5edfb45950aa389a10a3", optional=True),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        content = raw["ratings.dat.part1"] + raw["ratings.dat.part2"]
        rows = DAT.read(content, DAT_COLUMNS, malformed=self.malformed)
        try:
            with np.load(io.BytesIO(raw["ratings_ts_source.npz"]), allow_pickle=False) as arrays:
                flag_N = arrays["source"]
        except (ValueError, OSError, KeyError) as error:
            raise UserError(f"ratings_ts_source.npz holds no array 'source' ({error}).") from error
        if flag_N.shape != (len(rows),):
            raise UserError(f"ratings_ts_source.npz flags {flag_N.shape} rows of {len(rows):,}.")
        return rows.with_columns(pl.Series("exact_time", flag_N < 2))

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        return titles_of_dat(raw["movies.dat"], "latin-1") if "movies.dat" in raw else None

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        return genres_of_dat(raw["movies.dat"], "latin-1") if "movies.dat" in raw else None

    def user_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        return users_of_dat(raw["users.dat"]) if "users.dat" in raw else None
