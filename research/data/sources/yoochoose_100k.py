"""A week of Yoochoose as session-rec prepared it: 21,210 sessions, 83,846 clicks from 1 to 8 April 2014.

The authors' training file (70,278 clicks, 17,794 sessions, 2,933 items) and their test file, the last 24 hours
(13,568 clicks, 3,416 sessions), as one log; the split of this framework cuts it anew. A user is a session of at least
2 clicks. Times are seconds with decimals; the authors note that they are not UTC, so the hour of day may be off.

Source: https://github.com/rn5l/session-rec, ``data/rsc15/prepared/`` (M. Ludewig and others, 2021: Empirical
Analysis of Session-Based Recommendation Algorithms). Licence: CC BY-NC-ND 4.0, as the challenge's page states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import whole_seconds
from research.data.delimited import Delimited
from research.data.raw import Place, RawFile, Terms
from research.data.sources.yoochoose import BEN_SHIMON, TERMS
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

_SHA256 = {
    "train_full": "9842c90358298ee784fcf0c9dccb2eeb283ab04368e53bdeee896747f4c03e1e",
    "test": "380410c606403531019e1ec0b4d192ef90492d594b9b5a91633b860618dd7136",
}
_LUDEWIG = Citation(
    authors="Ludewig, Malte; Mauro, Noemi; Latifi, Sara; Jannach, Dietmar",
    year=2021,
    title="Empirical Analysis of Session-Based Recommendation Algorithms",
    venue="User Modeling and User-Adapted Interaction 31",
    doi="10.1007/s11257-020-09277-1",
)


@dataclass(frozen=True, kw_only=True)
class Yoochoose100k(TextSource):
    """Both files as one log; a user is a session."""

    @property
    def name(self) -> str:
        return "yoochoose-100k"

    @property
    def about(self) -> About:
        return About(
            users=21_210,
            items=2_933,
            interactions=83_846,
            users_are="sessions",
            times="seconds",
            licence="CC BY-NC-ND 4.0",
            cite=(BEN_SHIMON, _LUDEWIG),
            download_bytes=2_146_008 + 414_350,
        )

    @property
    def terms(self) -> Terms:
        return TERMS

    def files(self) -> tuple[RawFile, ...]:
        def file(part: str, sha256: str) -> RawFile:
            name = f"yoochoose-clicks-100k_{part}.txt"
            places = tuple(Place(f"{folder}{name}{gz}") for folder in ("yoochoose-100k/", "") for gz in ("", ".gz"))
            url = f"https://raw.githubusercontent.com/rn5l/session-rec/master/data/rsc15/prepared/{name}"
            return RawFile(name=name, sha256=sha256, places=places, urls=(Place(url),))

        return tuple(file(part, sha256) for part, sha256 in _SHA256.items())

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        wanted = {"user": ("SessionId", int), "item": ("ItemId", int), "time": ("Time", float)}
        parts = [
            Delimited(name=name, separator="\t").read(content, wanted, malformed=self.malformed)
            for name, content in raw.items()
        ]
        return whole_seconds(pl.concat(parts))
