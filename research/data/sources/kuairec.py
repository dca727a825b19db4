"""KuaiRec: short videos and how much of them was watched; a large sparse log and a small one that is nearly full.

| matrix | users | videos | rows       |
|--------|-------|--------|------------|
| big    | 7,176 | 10,728 | 12,530,806 |
| small  | 1,411 | 3,327  | 4,676,570  |

In the small one nearly every user was shown every video, so its order says little of taste. A row is a video that was
shown; ``rating`` is the share of it that was watched, above 1 when it was watched again. The authors advise to count
more than 2 as liked: ``min_watch_ratio: 2``. Times are seconds with decimals. Rows without a time cannot be
put in order and are dropped, so the counts after reading may be smaller than the published ones above.

Source: https://kuairec.com (C. Gao and others, 2022: KuaiRec, CIKM). Licence: CC BY-SA 4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_GAO = Citation(
    authors="Gao, Chongming; Li, Shijun; Lei, Wenqiang; Chen, Jiawei; Li, Biao; Jiang, Peng; He, Xiangnan; "
    "Mao, Jiaxin; Chua, Tat-Seng",
    year=2022,
    title="KuaiRec: A Fully-observed Dataset and Insights for Evaluating Recommender Systems",
    venue="CIKM",
    doi="10.1145/3511808.3557220",
)


@dataclass(frozen=True, kw_only=True)
class KuaiRec(Streamed):
    """The rows of one matrix."""

    matrix: Literal["big", "small"]
    """Which log."""
    min_watch_ratio: float = 0.0
    """Rows of which a smaller share was watched are dropped."""

    def __post_init__(self) -> None:
        if self.matrix not in ("big", "small"):
            raise UserError(f"kuairec: matrix is {self.matrix!r}; it must be big or small.")

    @property
    def name(self) -> str:
        return "kuairec" if self.matrix == "big" else "kuairec-small"

    @property
    def about(self) -> About:
        big = self.matrix == "big"
        return About(
            users=7_176 if big else 1_411,
            items=10_728 if big else 3_327,
            interactions=12_530_806 if big else 4_676_570,
            times="milliseconds",
            licence="CC BY-SA 4.0",
            cite=(_GAO,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "KuaiRec, CC BY-SA 4.0. Cite Gao and others (2022), doi:10.1145/3511808.3557220.", "https://kuairec.com"
        )

    def files(self) -> tuple[RawFile, ...]:
        name = f"{self.matrix}_matrix.csv"
        inside = f"KuaiRec 2.0/data/{name}"
        loose = (inside, f"KuaiRec/data/{name}", f"kuairec/{name}", name)
        places = (*map(Place, loose), *(Place(at, inside) for at in ("KuaiRec.zip", "kuairec/KuaiRec.zip")))
        urls = (Place("https://zenodo.org/records/18164998/files/KuaiRec.zip", inside),)
        return (RawFile(name=name, places=places, urls=urls, max_bytes=2 * GIBIBYTE, page="https://kuairec.com"),)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        (name,) = raw
        wanted = {"user": ("user_id", int), "item": ("video_id", int), "rating": ("watch_ratio", float)}
        wanted |= {"time": ("timestamp", float)}
        seconds = pl.col("time")
        times = {"time": seconds.floor().cast(pl.Int64), "moment": (seconds * 1e6).round().cast(pl.Int64)}
        with opened(raw, name) as file:
            layout = Delimited(name=name)
            for rows in layout.blocks(file, wanted, may_be_empty=["time"], malformed=self.malformed):
                timed = rows.filter(seconds.is_not_null() & (pl.col("rating") >= self.min_watch_ratio))
                yield timed.with_columns(**times)
