"""Foursquare check-ins of two cities from April 2012 to February 2013, to the second.

| city | users | places | check-ins |
|------|-------|--------|-----------|
| nyc  | 1,083 | 38,333 | 227,428   |
| tky  | 2,293 | 61,858 | 573,703   |

People return to places: most targets were visited before. Times are written in UTC beside the place's offset from
it, which is not applied. The text is latin-1, the copy on Kaggle is UTF-8 with a header line and commas; both are
read. (One list of datasets gives 537,703 check-ins for Tokyo, two digits exchanged.)

Source: https://sites.google.com/site/yangdingqi/home/foursquare-dataset (D. Yang and others, 2015: Modeling User
Activity Preference by Leveraging User Spatial Temporal Characteristics in LBSNs, IEEE T-SMC). Licence: research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.delimited import Delimited
from research.data.raw import Place, RawFile, Terms
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_URLS = (
    "http://www-public.imtbs-tsp.eu/~zhang_da/pub/dataset_tsmc2014.zip",
    "http://www-public.tem-tsp.eu/~zhang_da/pub/dataset_tsmc2014.zip",
)
_PAGE = "https://sites.google.com/site/yangdingqi/home/foursquare-dataset"
_COLUMNS = ("user", "venue", "category_id", "category", "latitude", "longitude", "offset", "time")
YANG = Citation(
    authors="Yang, Dingqi; Zhang, Daqing; Zheng, Vincent W.; Yu, Zhiyong",
    year=2015,
    title="Modeling User Activity Preference by Leveraging User Spatial Temporal Characteristics in LBSNs",
    venue="IEEE Transactions on Systems, Man, and Cybernetics: Systems 45(1)",
    doi="10.1109/TSMC.2014.2327053",
)


@dataclass(frozen=True, kw_only=True)
class Foursquare(TextSource):
    """One row a check-in, with the place's coordinates."""

    city: Literal["nyc", "tky"]
    """New York or Tokyo."""

    def __post_init__(self) -> None:
        if self.city not in ("nyc", "tky"):
            raise UserError(f"foursquare: city is {self.city!r}; it must be nyc or tky.")

    @property
    def name(self) -> str:
        return f"foursquare-{self.city}"

    @property
    def about(self) -> About:
        nyc = self.city == "nyc"
        return About(
            users=1_083 if nyc else 2_293,
            items=38_333 if nyc else 61_858,
            interactions=227_428 if nyc else 573_703,
            times="seconds",
            licence="research",
            cite=(YANG,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Foursquare check-ins, collected by Dingqi Yang. For research, not for commercial purposes. Cite Yang and "
            "others (2015), doi:10.1109/TSMC.2014.2327053.",
            _PAGE,
        )

    def files(self) -> tuple[RawFile, ...]:
        stem = f"dataset_TSMC2014_{self.city.upper()}"
        inside = f"dataset_tsmc2014/{stem}.txt"
        archives = ("dataset_tsmc2014.zip", "foursquare/dataset_tsmc2014.zip")
        loose = (inside, f"{stem}.txt", f"foursquare/{stem}.txt", f"{stem}.csv", f"foursquare/{stem}.csv")
        return (
            RawFile(
                name=f"{stem}.txt",
                places=(*map(Place, loose), *(Place(at, inside) for at in archives)),
                urls=tuple(Place(url, inside) for url in _URLS),
                max_bytes=256 * 1024 * 1024,
                page=_PAGE,
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        ((name, content),) = raw.items()
        if content.removeprefix(b"\xef\xbb\xbf").startswith(b"userId,"):
            layout = Delimited(name=name)
            names = {"user": "userId", "item": "venueId", "time": "utcTimestamp"}
        else:
            layout = Delimited(name=name, separator="\t", columns=_COLUMNS, quote=None, encoding="latin-1")
            names = {"user": "user", "item": "venue", "time": "time"}
        names |= {"latitude": "latitude", "longitude": "longitude"}
        wanted = {ours: (theirs, _KINDS[ours]) for ours, theirs in names.items()}
        return layout.read(content, wanted, malformed=self.malformed).with_columns(pl.col("time") // 1000)


_KINDS = {
    "user": int,
    "item": str,
    "time": Written("%a %b %d %H:%M:%S +0000 %Y"),
    "latitude": float,
    "longitude": float,
}
