"""Taobao UserBehavior: 987,994 users, 4,162,024 items, 100,150,807 events of nine days in 2017, to the second.

Four behaviours: ``pv`` (a look at an item, nine events in ten), ``cart``, ``fav``, ``buy``. The days are Chinese
ones, 2017-11-25 to 12-03 in UTC+8; some rows bear times outside of them and are dropped unless they are asked
for. Rows stand by user, not by time. The file has 3.5 GB.

Source: https://tianchi.aliyun.com/dataset/649 (an account is needed; H. Zhu and others, 2018: Learning Tree-based
Deep Model for Recommender Systems, KDD). Licence: research, Tianchi's terms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from research.data.about import About, Citation
from research.data.behaviours import check_behaviours, keep_behaviours
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_NAME = "UserBehavior.csv"
_LAYOUT = Delimited(name=_NAME, columns=("user", "item", "category", "behaviour", "time"), quote=None)
_BEHAVIOURS = ("pv", "cart", "fav", "buy")
_FIRST, _END = 1_511_539_200, 1_512_316_800  # 2017-11-25 and 2017-12-04, 00:00 in UTC+8
_ZHU = Citation(
    authors="Zhu, Han; Li, Xiang; Zhang, Pengye; Li, Guozheng; He, Jie; Li, Han; Gai, Kun",
    year=2018,
    title="Learning Tree-based Deep Model for Recommender Systems",
    venue="KDD",
    doi="10.1145/3219819.3219826",
)


@dataclass(frozen=True, kw_only=True)
class Taobao(Streamed):
    """The events of ``UserBehavior.csv``."""

    version: ClassVar[int] = 2  # 2: items have their category

    behaviours: list[str] = field(default_factory=list)
    """Which of pv, cart, fav and buy are interactions; none named: all."""
    outside: bool = False
    """Whether to keep rows with times outside of the nine days."""

    def __post_init__(self) -> None:
        check_behaviours("taobao", self.behaviours, _BEHAVIOURS)

    @property
    def name(self) -> str:
        return "taobao"

    @property
    def about(self) -> About:
        return About(
            users=987_994,
            items=4_162_024,
            interactions=100_150_807,
            times="seconds",
            licence="Tianchi: research",
            cite=(_ZHU,),
            download_bytes=906_000_000,
        )

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

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        wanted = {"user": ("user", int), "item": ("item", int), "behaviour": ("behaviour", str), "time": ("time", int)}
        inside = pl.lit(True) if self.outside else pl.col("time").is_between(_FIRST, _END, closed="left")
        with opened(raw, _NAME) as file:
            for rows in _LAYOUT.blocks(file, wanted, malformed=self.malformed):
                yield keep_behaviours(rows, self.behaviours, _BEHAVIOURS, _NAME).filter(inside)

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        """Each item's ``category``, in a second pass: it stands in every row, and of an item always the same."""
        import polars as pl

        known = pl.DataFrame(schema={"item": pl.Int64, "category": pl.Int64})
        wanted = {"item": ("item", int), "category": ("category", int)}
        with opened(raw, _NAME) as file:
            for rows in _LAYOUT.blocks(file, wanted, malformed=self.malformed):
                known = pl.concat([known, rows]).unique("item", keep="first", maintain_order=True)
        return known
