"""Taobao UserBehavior: 987,994 users, 4,162,024 items, 100,150,807 events of nine days in 2017, to the second.

Four behaviours: ``pv`` (a look at an item, nine events in ten), ``cart``, ``fav``, ``buy``. The days are Chinese
ones, 2017-11-25 to 12-03 in UTC+8; some rows bear times outside of them and are dropped unless they are asked
for. Rows stand by user, not by time. The file has 3.5 GB and is read into memory: have 16 GB.

Source: https://tianchi.aliyun.com/dataset/649 (an account is needed; H. Zhu and others, 2018: Learning Tree-based
Deep Model for Recommender Systems, KDD). Licence: research, Tianchi's terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from research.data.behaviours import check_behaviours, keep_behaviours
from research.data.delimited import Delimited, Malformed
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.source import Source

if TYPE_CHECKING:
    import polars as pl

_NAME = "UserBehavior.csv"
_BEHAVIOURS = ("pv", "cart", "fav", "buy")
_FIRST, _END = 1_511_539_200, 1_512_316_800  # 2017-11-25 and 2017-12-04, 00:00 in UTC+8


@dataclass(frozen=True, kw_only=True)
class Taobao(Source):
    """The events of ``UserBehavior.csv``."""

    behaviours: list[str] = field(default_factory=list)
    """Which of pv, cart, fav and buy are interactions; none named: all."""
    outside: bool = False
    """Whether to keep rows with times outside of the nine days."""
    malformed: Malformed = "error"
    """Rows that cannot be read are an error that counts them, or are dropped with a warning that does."""

    def __post_init__(self) -> None:
        check_behaviours("taobao", self.behaviours, _BEHAVIOURS)

    @property
    def name(self) -> str:
        return "taobao"

    @property
    def terms(self) -> Terms:
        return Terms(
            "User Behavior Data from Taobao, provided by Alibaba for research; Tianchi's terms apply. Cite Zhu and "
            "others (2018), doi:10.1145/3219819.3219826.",
            "https://tianchi.aliyun.com/dataset/649",
        )

    def files(self) -> tuple[RawFile, ...]:
        archives = (f"{_NAME}.zip", f"taobao/{_NAME}.zip")
        places = (Place(_NAME), Place(f"taobao/{_NAME}"), *(Place(at, _NAME) for at in archives))
        page = "https://tianchi.aliyun.com/dataset/649"
        return (RawFile(name=_NAME, places=places, max_bytes=4 * GIBIBYTE, page=page),)

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        layout = Delimited(name=_NAME, columns=("user", "item", "category", "behaviour", "time"), quote=None)
        wanted = {"user": ("user", int), "item": ("item", int), "behaviour": ("behaviour", str), "time": ("time", int)}
        rows = keep_behaviours(
            layout.read(raw[_NAME], wanted, malformed=self.malformed), self.behaviours, _BEHAVIOURS, _NAME
        )
        return rows if self.outside else rows.filter(pl.col("time").is_between(_FIRST, _END, closed="left"))
