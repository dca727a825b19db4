"""Gowalla check-ins: 107,092 users, 1,280,969 places, 6,442,892 check-ins from February 2009 to October 2010.

People return to places, so repeats are frequent. Rows stand newest first within each user, to the second, UTC.
LightGCN's "gowalla" is another, smaller cut of this set that has lost its order.

Source: https://snap.stanford.edu/data/loc-gowalla.html (E. Cho, S. A. Myers and J. Leskovec, 2011: Friendship and
Mobility, KDD). Licence: none stated; research.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_NAME = "loc-gowalla_totalCheckins.txt"
_URL = f"https://snap.stanford.edu/data/{_NAME}.gz"
_CHECKSUM = "md5:8ebd5ed2dd376d8982987c49429cb9f9"
_CHO = Citation(
    authors="Cho, Eunjoon; Myers, Seth A.; Leskovec, Jure",
    year=2011,
    title="Friendship and Mobility: User Movement in Location-Based Social Networks",
    venue="KDD",
    doi="10.1145/2020408.2020579",
)


@dataclass(frozen=True, kw_only=True)
class Gowalla(Streamed):
    """One row a check-in, with the place's coordinates."""

    @property
    def name(self) -> str:
        return "gowalla"

    @property
    def about(self) -> About:
        return About(
            users=107_092,
            items=1_280_969,
            interactions=6_442_892,
            times="seconds",
            licence="none stated; research",
            cite=(_CHO,),
            download_bytes=105_470_044,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Gowalla check-ins from Stanford's SNAP collection. For research; no licence is stated. Cite Cho, Myers "
            "and Leskovec (2011), doi:10.1145/2020408.2020579.",
            "https://snap.stanford.edu/data/loc-gowalla.html",
        )

    def files(self) -> tuple[RawFile, ...]:
        folders = ("gowalla/", "")
        places = (
            *(Place(f"{folder}{_NAME}") for folder in folders),
            *(Place(f"{folder}{_NAME}.gz", checksum=_CHECKSUM) for folder in folders),
        )
        return (RawFile(name=_NAME, places=places, urls=(Place(_URL, checksum=_CHECKSUM),), max_bytes=GIBIBYTE),)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        time = Written("%Y-%m-%dT%H:%M:%SZ")
        kinds = {"user": int, "time": time, "latitude": float, "longitude": float, "item": int}
        layout = Delimited(name=_NAME, separator="\t", columns=tuple(kinds), quote=None)
        with opened(raw, _NAME) as file:
            for rows in layout.blocks(
                file, {one: (one, kind) for one, kind in kinds.items()}, malformed=self.malformed
            ):
                yield rows.with_columns(pl.col("time") // 1000)
