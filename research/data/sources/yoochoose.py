"""Yoochoose (RecSys Challenge 2015): 9,249,729 sessions, 52,739 items, 33,003,944 clicks from April to September 2014.

A user here is a session: the log names nobody. With ``buys`` the 1,150,753 purchases of 509,696 sessions are rows
too, told apart by the column ``behaviour``. Times are milliseconds in UTC. The category column mixes numbers, ``S``
and brand codes and is left out. The papers' "1/4" and "1/64" are the latest fractions of the training sessions.

Source: https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015 (D. Ben-Shimon and others, 2015: RecSys
Challenge 2015 and the YOOCHOOSE Dataset). The challenge's own archive is a .7z, which is unpacked by hand. Licence:
CC BY-NC-ND 4.0, as its page states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import Written, by_moment
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_PAGE = "https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015"
TERMS = Terms(
    "YOOCHOOSE, RecSys Challenge 2015. CC BY-NC-ND 4.0: not for commercial purposes, no altered copies. Cite "
    "Ben-Shimon and others (2015), doi:10.1145/2792838.2798723.",
    _PAGE,
)
BEN_SHIMON = Citation(
    authors="Ben-Shimon, David; Tsikinovsky, Alexander; Friedmann, Michael; Shapira, Bracha; Rokach, Lior; "
    "Hoerle, Johannes",
    year=2015,
    title="RecSys Challenge 2015 and the YOOCHOOSE Dataset",
    venue="RecSys",
    doi="10.1145/2792838.2798723",
)


@dataclass(frozen=True, kw_only=True)
class Yoochoose(Streamed):
    """The clicks, and the purchases if wanted; a user is a session."""

    buys: bool = False
    """Whether purchases are interactions too."""

    @property
    def name(self) -> str:
        return "yoochoose"

    @property
    def about(self) -> About:
        return About(
            users=9_249_729,
            items=52_739,
            interactions=33_003_944,  # clicks; with the purchases 1,150,753 more
            users_are="sessions",
            times="milliseconds",
            licence="CC BY-NC-ND 4.0",
            cite=(BEN_SHIMON,),
        )

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

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        wanted = {"user": ("session", int), "item": ("item", int), "time": ("time", Written("%Y-%m-%dT%H:%M:%S%.fZ"))}
        columns = {
            "clicks": ["session", "time", "item", "category"],
            "buys": ["session", "time", "item", "price", "quantity"],
        }
        for name in raw:
            kind = "buys" if "buys" in name else "clicks"
            layout = Delimited(name=name, columns=columns[kind], quote=None)
            with opened(raw, name) as file:
                for rows in layout.blocks(file, wanted, malformed=self.malformed):
                    yield by_moment(rows).with_columns(behaviour=pl.lit(kind.removesuffix("s")))
