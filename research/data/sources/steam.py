"""Steam reviews: 2,567,538 users, 32,135 games, 7,793,069 reviews from 2010 to 2018.

A review counts as an interaction. Times are whole days. The reviewer's chosen name is the only key that every row
has, so it is the user; two people of one name are one user. 61 % of the rows repeat a (user, game) pair: a
selection with ``duplicates: first`` leaves 3,043,146. The lines are what Python printed (``{u'username': u'...'}``),
read as literals; that takes minutes.

Source: https://cseweb.ucsd.edu/~jmcauley/datasets.html#steam_data (W.-C. Kang and J. McAuley, 2018: Self-Attentive
Sequential Recommendation, ICDM; A. Pathak and others, 2017; M. Wan and J. McAuley, 2018). Licence: research.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.lines import line_blocks, records
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_URL = "http://cseweb.ucsd.edu/~wckang/"
KANG = Citation(
    authors="Kang, Wang-Cheng; McAuley, Julian",
    year=2018,
    title="Self-Attentive Sequential Recommendation",
    venue="ICDM",
    doi="10.1109/ICDM.2018.00035",
)


@dataclass(frozen=True, kw_only=True)
class Steam(Streamed):
    """The lines of ``steam_reviews.json``, with titles where a place has ``steam_games.json``."""

    @property
    def name(self) -> str:
        return "steam"

    @property
    def about(self) -> About:
        return About(
            users=2_567_538,
            items=32_135,
            interactions=7_793_069,
            times="days",
            licence="research",
            cite=(KANG,),
            download_bytes=1_300_000_000,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Steam reviews, collected by Kang, McAuley, Wan and Pathak. For research. Cite Kang and McAuley (2018), "
            "doi:10.1109/ICDM.2018.00035.",
            "https://cseweb.ucsd.edu/~jmcauley/datasets.html#steam_data",
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(name: str, optional: bool) -> RawFile:
            places = tuple(Place(f"{folder}{name}{packed}") for folder in ("steam/", "") for packed in ("", ".gz"))
            urls = (Place(f"{_URL}{name}.gz"),)
            return RawFile(name=name, places=places, urls=urls, max_bytes=16 * GIBIBYTE, optional=optional)

        return file("steam_reviews.json", optional=False), file("steam_games.json", optional=True)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        name = "steam_reviews.json"
        wanted = {"user": ("username", str), "item": ("product_id", str), "time": ("date", Written("%Y-%m-%d"))}
        with opened(raw, name) as file:
            for rows in line_blocks(file, wanted, name=name, python=True, malformed=self.malformed):
                yield rows.with_columns(pl.col("time") // 1000)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        if "steam_games.json" not in raw:
            return None
        games = (game for _, game in records(raw["steam_games.json"], python=True) if game)
        return {str(game["id"]): str(game.get("title") or game.get("app_name") or "") for game in games if "id" in game}
