"""Diginetica (CIKM Cup 2016): 204,789 sessions, 184,047 items, 993,483 views of a shop in half a year.

A user here is a session: most rows name no user (``NA``). An event's time is its day plus the milliseconds since the
session began, so the order within a session is exact and the time of day is not: every session begins at midnight
UTC of its day. Rows of a session are not in order; they are sorted by the milliseconds.

Source: https://competitions.codalab.org/competitions/11161 (CIKM Cup 2016 Track 2, DIGINETICA). Licence: the
challenge's terms; research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import Written, whole_seconds
from research.data.delimited import Delimited
from research.data.raw import MEBIBYTE, Place, RawFile, Terms
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

_NAME = "train-item-views.csv"
_PAGE = "https://competitions.codalab.org/competitions/11161"
_DIGINETICA = Citation(
    authors="DIGINETICA",
    year=2016,
    title="CIKM Cup 2016 Track 2: Personalized E-Commerce Search Challenge",
    url="https://competitions.codalab.org/competitions/11161",
)


@dataclass(frozen=True, kw_only=True)
class Diginetica(TextSource):
    """The item views of ``train-item-views.csv``; a user is a session."""

    @property
    def name(self) -> str:
        return "diginetica"

    @property
    def about(self) -> About:
        return About(
            users=204_789,
            items=184_047,
            interactions=993_483,
            users_are="sessions",
            times="day, and milliseconds in a session",
            licence="challenge terms: research",
            cite=(_DIGINETICA,),
        )

    @property
    def terms(self) -> Terms:
        return Terms("CIKM Cup 2016 Track 2, provided by DIGINETICA. The challenge's terms apply: research.", _PAGE)

    def files(self) -> tuple[RawFile, ...]:
        archives = ("dataset-train-diginetica.zip", "diginetica/dataset-train-diginetica.zip")
        loose = (_NAME, f"diginetica/{_NAME}", f"dataset-train-diginetica/{_NAME}")
        places = (*map(Place, loose), *(Place(at, _NAME) for at in archives))
        return (RawFile(name=_NAME, places=places, max_bytes=256 * MEBIBYTE, page=_PAGE),)

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        content = raw[_NAME]
        # The challenge writes sessionId, copies of it session_id.
        snake = b"session_id" in content.partition(b"\n")[0]
        session, item = ("session_id", "item_id") if snake else ("sessionId", "itemId")
        wanted = {"user": (session, int), "item": (item, int), "time": ("timeframe", int)}
        wanted |= {"day": ("eventdate", Written("%Y-%m-%d"))}
        rows = Delimited(name=_NAME, separator=";").read(content, wanted, malformed=self.malformed)
        return whole_seconds(rows.select("user", "item", time=pl.col("time") + pl.col("day")), 1000)
