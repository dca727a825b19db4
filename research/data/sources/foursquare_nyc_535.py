"""Foursquare New York as LLM-Mob cut it: 535 users, 3,817 places, 95,372 check-ins over 319 days, to the minute.

Times count from an unnamed first day: differences between them are right, the dates are not. The whole log is
``foursquare-nyc``. The authors' three files are one log cut by time; the split of this framework cuts it anew.
Coordinates are normalised by the authors, not degrees, and are left out.

Source: https://github.com/xlwang233/LLM-Mob, ``data/fsq/`` (X. Wang and others, 2023: Where Would I Go Next?), on
D. Yang and others (2015). Licence: the repository is MIT; Foursquare data are for research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.delimited import Delimited
from research.data.raw import Place, RawFile, Terms
from research.data.sources.foursquare import YANG
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

_SHA256 = {
    "train": "e04ca94d78d9a9faa5e7c219735a9c80528c0c10cd042f3fb60e278c3d14f929",
    "valid": "2e881e5cd2335b7cae9c7965129725a43583657a541077b7d167950a81e718c0",
    "test": "5567681ada0f4fa2785f6a068b94504aba3151b4dd24fad7e7998d62aec839e2",
}
_URL = "https://raw.githubusercontent.com/xlwang233/LLM-Mob/main/data/fsq/"
_WANG = Citation(
    authors="Wang, Xinglei; Fang, Meng; Zeng, Zichao; Cheng, Tao",
    year=2023,
    title="Where Would I Go Next? Large Language Models as Human Mobility Predictors",
    venue="arXiv:2308.15197",
    url="https://arxiv.org/abs/2308.15197",
)


@dataclass(frozen=True, kw_only=True)
class FoursquareNyc535(TextSource):
    """The three files as one log."""

    @property
    def name(self) -> str:
        return "foursquare-nyc-535"

    @property
    def about(self) -> About:
        return About(
            users=535,
            items=3_817,
            interactions=95_372,
            times="minutes from an unnamed day",
            licence="research",
            cite=(YANG, _WANG),
            download_bytes=3_787_635 + 1_094_398 + 1_191_100,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Foursquare check-ins, collected by Dingqi Yang and prepared by Wang and others (2023). For research. "
            "Cite Yang and others (2015), doi:10.1109/TSMC.2014.2327053.",
            "https://github.com/xlwang233/LLM-Mob",
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(part: str, sha256: str) -> RawFile:
            name = f"foursquare_{part}.csv"
            places = tuple(Place(f"foursquare-nyc/{name}{packed}") for packed in ("", ".gz"))
            return RawFile(name=name, sha256=sha256, places=places, urls=(Place(f"{_URL}{name}"),))

        return tuple(file(part, sha256) for part, sha256 in _SHA256.items())

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        wanted = {"row": ("id", int), "user": ("user_id", int), "item": ("location_id", int)}
        wanted |= {"day": ("start_day", int), "minute": ("start_min", int)}
        parts = [Delimited(name=name).read(content, wanted, malformed=self.malformed) for name, content in raw.items()]
        rows = pl.concat(parts).sort("row")  # the row of the log that the authors cut
        return rows.select("user", "item", time=(pl.col("day") * 1440 + pl.col("minute")) * 60)
