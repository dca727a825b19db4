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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.clock import whole_seconds
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class KuaiRec(Source):
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

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        ((name, content),) = raw.items()
        wanted = {"user": ("user_id", int), "item": ("video_id", int), "rating": ("watch_ratio", float)}
        rows = Delimited(name=name).read(content, wanted | {"time": ("timestamp", float)}, may_be_empty=["time"])
        timed = rows.filter(pl.col("time").is_not_null() & (pl.col("rating") >= self.min_watch_ratio))
        return whole_seconds(timed)
