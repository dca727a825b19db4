"""Gowalla check-ins: 107,092 users, 1,280,969 places, 6,442,892 check-ins from February 2009 to October 2010.

People return to places, so repeats are frequent. Rows stand newest first within each user, to the second, UTC.
LightGCN's "gowalla" is another, smaller cut of this set that has lost its order.

Source: https://snap.stanford.edu/data/loc-gowalla.html (E. Cho, S. A. Myers and J. Leskovec, 2011: Friendship and
Mobility, KDD). Licence: none stated; research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.clock import read_times
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.source import Source

if TYPE_CHECKING:
    import polars as pl

_NAME = "loc-gowalla_totalCheckins.txt"
_URL = f"https://snap.stanford.edu/data/{_NAME}.gz"
_CHECKSUM = "md5:8ebd5ed2dd376d8982987c49429cb9f9"


@dataclass(frozen=True, kw_only=True)
class Gowalla(Source):
    """One row a check-in, with the place's coordinates."""

    @property
    def name(self) -> str:
        return "gowalla"

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

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        kinds = {"user": int, "time": str, "latitude": float, "longitude": float, "item": int}
        layout = Delimited(name=_NAME, separator="\t", columns=tuple(kinds), quote=None)
        rows = layout.read(raw[_NAME], {name: (name, kind) for name, kind in kinds.items()})
        return read_times(rows, "%Y-%m-%dT%H:%M:%SZ", _NAME)
