"""Yoochoose (RecSys Challenge 2015): 9,249,729 sessions, 52,739 items, 33,003,944 clicks from April to September 2014.

A user here is a session: the log names nobody. With ``buys`` the 1,150,753 purchases of 509,696 sessions are rows
too, told apart by the column ``behaviour``. Times are milliseconds in UTC. The category column mixes numbers, ``S``
and brand codes and is left out. The papers' "1/4" and "1/64" are the latest fractions of the training sessions.

Source: https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015 (D. Ben-Shimon and others, 2015: RecSys
Challenge 2015 and the YOOCHOOSE Dataset). The challenge's own archive is a .7z, which is unpacked by hand. Licence:
CC BY-NC-ND 4.0, as its page states.
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

_PAGE = "https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015"
TERMS = Terms(
    "YOOCHOOSE, RecSys Challenge 2015. CC BY-NC-ND 4.0: not for commercial purposes, no altered copies. Cite "
    "Ben-Shimon and others (2015), doi:10.1145/2792838.2798723.",
    _PAGE,
)


@dataclass(frozen=True, kw_only=True)
class Yoochoose(Source):
    """The clicks, and the purchases if wanted; a user is a session."""

    buys: bool = False
    """Whether purchases are interactions too."""

    @property
    def name(self) -> str:
        return "yoochoose"

    @property
    def terms(self) -> Terms:
        return TERMS

    def files(self) -> tuple[RawFile, ...]:
        def file(kind: str) -> RawFile:
            name = f"yoochoose-{kind}.dat"
            archives = ("recsys-challenge-2015.zip", "yoochoose/recsys-challenge-2015.zip", "yoochoose/archive.zip")
            loose = (name, f"yoochoose/{name}", f"yoochoose-data/{name}")
            places = (*map(Place, loose), *(Place(at, name) for at in archives))
            return RawFile(name=name, places=places, max_bytes=2 * GIBIBYTE, page=_PAGE)

        return (file("clicks"), file("buys")) if self.buys else (file("clicks"),)

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        wanted = {"user": ("session", int), "item": ("item", int), "time": ("time", str)}
        columns = {
            "clicks": ["session", "time", "item", "category"],
            "buys": ["session", "time", "item", "price", "quantity"],
        }
        parts = []
        for name, content in raw.items():
            kind = "buys" if "buys" in name else "clicks"
            rows = Delimited(name=name, columns=columns[kind], quote=None).read(content, wanted)
            parts.append(rows.with_columns(behaviour=pl.lit(kind.removesuffix("s"))))
        return read_times(pl.concat(parts), "%Y-%m-%dT%H:%M:%S%.fZ", "yoochoose")
