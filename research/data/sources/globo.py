"""Globo.com news: 322,897 readers, 46,033 articles, 2,988,181 clicks in 1,048,594 sessions of October 2017.

Times are milliseconds; 99 % of the clicks lie between 1 and 16 October. A session is a visit (short-term interest), a
reader's earlier sessions are the long-term one. Carried along: ``session``, how the reader came (``referrer``), on
what (``device``), in which surroundings, such as app or web (``environment``); ``scenario`` is the chosen one of the
three. The log comes as 385 files, one an hour.

Source: https://www.kaggle.com/datasets/gspmoreira/news-portal-user-interactions-by-globocom (G. de Souza Pereira
Moreira and others, 2018: News Session-Based Recommendations using Deep Neural Networks, DLRS). Licence: research,
Kaggle's page has the terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import by_moment
from research.data.delimited import Delimited
from research.data.raw import Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_HOURS = 385
_PAGE = "https://www.kaggle.com/datasets/gspmoreira/news-portal-user-interactions-by-globocom"
_SCENARIOS = {
    "referrer": "click_referrer_type",
    "device": "click_deviceGroup",
    "environment": "click_environment",
}
_MOREIRA = Citation(
    authors="Moreira, Gabriel de Souza Pereira; Ferreira, Felipe; da Cunha, Adilson Marques",
    year=2018,
    title="News Session-Based Recommendations using Deep Neural Networks",
    venue="DLRS",
    doi="10.1145/3270323.3270328",
)


@dataclass(frozen=True, kw_only=True)
class Globo(Streamed):
    """The clicks of all hours."""

    scenario: Literal["referrer", "device", "environment"] = "referrer"
    """What the column ``scenario`` tells."""

    def __post_init__(self) -> None:
        if self.scenario not in _SCENARIOS:
            raise UserError(f"globo: scenario is {self.scenario!r}; it must be one of {', '.join(_SCENARIOS)}.")

    @property
    def name(self) -> str:
        return "globo"

    @property
    def about(self) -> About:
        return About(
            users=322_897,
            items=46_033,
            interactions=2_988_181,
            users_are="readers",
            times="milliseconds",
            licence="research",
            cite=(_MOREIRA,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "News portal user interactions by Globo.com, released for research. Cite Moreira and others (2018), "
            "doi:10.1145/3270323.3270328.",
            _PAGE,
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(name: str) -> RawFile:
            places = (
                *(Place(f"{folder}clicks/{name}") for folder in ("", "globo/", "globo-news/", "clicks/")),
                *(Place(f"{folder}clicks.zip", f"clicks/{name}") for folder in ("", "globo/")),
                Place("news-portal-user-interactions-by-globocom.zip", f"clicks/clicks/{name}"),
            )
            return RawFile(name=name, places=places, page=_PAGE)

        return tuple(file(f"clicks_hour_{hour:03d}.csv") for hour in range(_HOURS))

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        wanted = {
            "user": ("user_id", int),
            "item": ("click_article_id", int),
            "time": ("click_timestamp", int),
            "session": ("session_id", int),
            "scenario": (_SCENARIOS[self.scenario], int),
            **{name: (theirs, int) for name, theirs in _SCENARIOS.items()},
        }
        for name in raw:
            with opened(raw, name) as file:
                yield from map(by_moment, Delimited(name=name).blocks(file, wanted, malformed=self.malformed))
