"""Retailrocket: 1,407,580 visitors, 235,061 items, 2,756,101 events of a shop from May to September 2015.

2,664,312 views, 69,332 additions to the cart, 22,457 transactions. The rows are in no order; times are milliseconds,
so rows are sorted by them before they are cut to seconds. Papers on sessions cut
a visitor's events where 30 minutes pass without one (``window=session``).

Source: https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset. Licence: CC BY-NC-SA 4.0, as its page states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.behaviours import check_behaviours, keep_behaviours
from research.data.clock import by_moment
from research.data.delimited import Delimited
from research.data.raw import MEBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_BEHAVIOURS = ("view", "addtocart", "transaction")
_PAGE = "https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset"
_ZYKOV = Citation(
    authors="Zykov, Roman; Artem, Noskov; Alexander, Anokhin",
    year=2022,
    title="Retailrocket recommender system dataset",
    venue="Kaggle",
    doi="10.34740/KAGGLE/DSV/4471234",
)


@dataclass(frozen=True, kw_only=True)
class Retailrocket(Streamed):
    """The rows of ``events.csv``."""

    behaviours: list[str] = field(default_factory=list)
    """Which of view, addtocart and transaction are interactions; none named: all."""

    def __post_init__(self) -> None:
        check_behaviours("retailrocket", self.behaviours, _BEHAVIOURS)

    @property
    def name(self) -> str:
        return "retailrocket"

    @property
    def about(self) -> About:
        return About(
            users=1_407_580,
            items=235_061,
            interactions=2_756_101,
            users_are="visitors",
            times="milliseconds",
            licence="CC BY-NC-SA 4.0",
            cite=(_ZYKOV,),
        )

    @property
    def terms(self) -> Terms:
        return Terms("Retailrocket recommender system dataset. CC BY-NC-SA 4.0: not for commercial purposes.", _PAGE)

    def files(self) -> tuple[RawFile, ...]:
        archives = ("ecommerce-dataset.zip", "retailrocket/ecommerce-dataset.zip", "retailrocket/archive.zip")
        # events.csv is a name of many: it counts only in a folder of the dataset's own.
        places = (Place("retailrocket/events.csv"), *(Place(at, "events.csv") for at in archives))
        return (RawFile(name="events.csv", places=places, max_bytes=512 * MEBIBYTE, page=_PAGE),)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        wanted = {"user": ("visitorid", int), "item": ("itemid", int), "behaviour": ("event", str)}
        wanted |= {"time": ("timestamp", int)}
        with opened(raw, "events.csv") as file:
            for rows in Delimited(name="events.csv").blocks(file, wanted, malformed=self.malformed):
                yield by_moment(keep_behaviours(rows, self.behaviours, _BEHAVIOURS, "events.csv"))
