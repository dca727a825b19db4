"""S3-Rec's sequence files: the Amazon and Yelp data of most sequential papers since 2020. An order, no times.

| category | users  | items  | interactions | what                                |
|----------|--------|--------|--------------|-------------------------------------|
| beauty   | 22,363 | 12,101 | 198,502      | Amazon 2014 Beauty, 5-core          |
| sports   | 35,598 | 18,357 | 296,337      | Amazon 2014 Sports and Outdoors     |
| toys     | 19,412 | 11,924 | 167,597      | Amazon 2014 Toys and Games          |
| yelp     | 30,431 | 20,033 | 316,354      | Yelp, 5-core; 11,830 repeated pairs |
| lastfm   | 1,090  | 3,646  | 52,551       | HetRec 2011 Last.fm, artists        |

Histories are short: half of the users have at most 5 items before the test item, so a short window is often
the whole history. In Yelp 6.7 % of the test targets were visited before, and a filter of seen items makes
them unreachable. Where ``*_item2attributes.json`` lies beside the sequences, items have its attributes.

Source: https://github.com/RUCAIBox/CIKM2020-S3Rec (K. Zhou and others, 2020: S3-Rec, CIKM), ``data/``.
Licence: none stated; Amazon reviews (McAuley and others 2015) for research, Yelp Open Dataset for academic
use, no redistribution; HetRec Last.fm (Cantador and others 2011), non-commercial. No SHA-256 of the LastFM file is
known: the first one that comes is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.malformed import Malformed, Wrong
from research.data.raw import Place, RawFile, Terms
from research.data.sources.amazon import MCAULEY
from research.data.sources.yelp import YELP
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_FILES = {
    "beauty": ("Beauty", "226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8"),
    "sports": ("Sports_and_Outdoors", "2a095e0648872beb9982408958290f5d655db5be2911c3756b5446de9f0b8de2"),
    "toys": ("Toys_and_Games", "176c680c688d497598c4a89a03b402c0fe78d795e5db335c2e78dd5f2d778a3f"),
    "yelp": ("Yelp", "724b219106b81dd2349027da997334ddb6da9fe2f152ad6e0d97a93170f7caed"),
    "lastfm": ("LastFM", ""),
}
_ATTRIBUTES = "_item2attributes.json"
_SHA256_ATTRIBUTES = {
    "beauty": "129e40f67486f6877eff0f5318cfa8530ee8ac23d8b0d1de04e1bb7a2ba0b2d4",
    "sports": "7fb10733ac4f1811384a52144cdefa7fcc7536fa80a7232c5da9bd789155c34b",
    "toys": "d371acd25101eedac04afc727626464b7acec770c4eda708705d51eb76eb1ad0",
    "yelp": "f25acd5e1e680e0b22fd4e3f4fb6be4b2a7461e9222610616e3e1ee6702dd58d",
}
_URL = "https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/master/data/"
_AMAZON = Terms(
    "Amazon reviews 2014, prepared by Zhou and others (2020) for S3-Rec. For research; the file states no "
    "licence. Cite McAuley and others (2015), doi:10.1145/2766462.2767755.",
    "https://github.com/RUCAIBox/CIKM2020-S3Rec",
)
_YELP = Terms(
    "Yelp Open Dataset, prepared by Zhou and others (2020) for S3-Rec. For academic use under Yelp's dataset "
    "terms; no redistribution.",
    "https://business.yelp.com/data/resources/open-dataset/",
)
_LASTFM = Terms(
    "Last.fm of HetRec 2011, prepared by Zhou and others (2020) for S3-Rec. For non-commercial use. Cite Cantador, "
    "Brusilovsky and Kuflik (2011).",
    "https://grouplens.org/datasets/hetrec-2011/",
)
_TERMS = {"yelp": _YELP, "lastfm": _LASTFM}
_ZHOU = Citation(
    authors="Zhou, Kun; Wang, Hui; Zhao, Wayne Xin; Zhu, Yutao; Wang, Sirui; Zhang, Fuzheng; Wang, Zhongyuan; "
    "Wen, Ji-Rong",
    year=2020,
    title="S3-Rec: Self-Supervised Learning for Sequential Recommendation with Mutual Information Maximization",
    venue="CIKM",
    doi="10.1145/3340531.3411954",
)
_CANTADOR = Citation(
    authors="Cantador, Iván; Brusilovsky, Peter; Kuflik, Tsvi",
    year=2011,
    title="2nd Workshop on Information Heterogeneity and Fusion in Recommender Systems (HetRec 2011)",
    venue="RecSys",
    doi="10.1145/2043932.2044016",
)
# Users, items, interactions, bytes of the file.
_ABOUT = {
    "beauty": (22_363, 12_101, 198_502, 1_090_094),
    "sports": (35_598, 18_357, 296_337, 1_707_483),
    "toys": (19_412, 11_924, 167_597, 922_166),
    "yelp": (30_431, 20_033, 316_354, 1_814_224),
    "lastfm": (1_090, 3_646, 52_551, None),
}
_LICENCE = {"yelp": "Yelp: academic, no redistribution", "lastfm": "HetRec: non-commercial"}


@dataclass(frozen=True, kw_only=True)
class S3Rec(TextSource):
    """One category of S3-Rec's data; its lines are ``user item item ...`` in time order."""

    category: Literal["beauty", "sports", "toys", "yelp", "lastfm"]
    """Which file."""

    def __post_init__(self) -> None:
        if self.category not in _FILES:
            raise UserError(f"S3-Rec has no category {self.category!r}. Known: {', '.join(_FILES)}.")

    @property
    def name(self) -> str:
        return f"{self.category}-s3"

    @property
    def about(self) -> About:
        users, items, interactions, download_bytes = _ABOUT[self.category]
        return About(
            users=users,
            items=items,
            interactions=interactions,
            times="order only",
            licence=_LICENCE.get(self.category, "none stated; research"),
            cite=({"yelp": YELP, "lastfm": _CANTADOR}.get(self.category, MCAULEY), _ZHOU),
            download_bytes=download_bytes,
        )

    @property
    def terms(self) -> Terms:
        return _TERMS.get(self.category, _AMAZON)

    def files(self) -> tuple[RawFile, ...]:
        stem, sha256 = _FILES[self.category]

        def file(name: str, sha256: str, optional: bool = False) -> RawFile:
            packed = (name, f"{name}.gz")
            return RawFile(
                name=name,
                sha256=sha256,
                places=tuple(Place(f"{folder}{one}") for folder in ("s3rec/", "") for one in packed),
                urls=(Place(f"{_URL}{name}"),),
                optional=optional,
            )

        attributes = file(f"{stem}{_ATTRIBUTES}", _SHA256_ATTRIBUTES.get(self.category, ""), optional=True)
        return file(f"{stem}.txt", sha256), attributes

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        return read_sequences(raw[f"{_FILES[self.category][0]}.txt"], self.name, self.malformed)

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """Each item's ``attribute`` numbers: categories and brands, as S3-Rec numbered them."""
        import polars as pl

        name = f"{_FILES[self.category][0]}{_ATTRIBUTES}"
        if name not in raw:
            return None
        try:
            lists = {str(item): [int(one) for one in listed] for item, listed in json.loads(raw[name]).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"{name} is no JSON object of items and their attribute numbers ({error}).") from error
        attributes = pl.Series(list(lists.values()), dtype=pl.List(pl.Int64))
        return pl.DataFrame({"item": list(lists), "attribute": attributes})


def read_sequences(content: bytes, name: str, malformed: Malformed = "error") -> pl.DataFrame:
    """Lines ``user item item ...`` in integers as rows ``user``, ``item``, in order.

    Raises:
        UserError: lines are something else, and are not to be dropped.
    """
    import numpy as np
    import polars as pl

    lines, wrong = [], Wrong(name)
    for number, line in enumerate(content.split(b"\n"), 1):
        try:
            lines.append(np.array(line.split(), dtype=np.int64))
        except (ValueError, OverflowError):
            wrong.add([number])
    wrong.settle(malformed, wrong.rows, ": not 'user item item ...' in integers.")
    lines = [line for line in lines if len(line)]
    if not lines:
        return pl.DataFrame(schema={"user": pl.Int64, "item": pl.Int64})
    users = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
    return pl.DataFrame({"user": users, "item": np.concatenate([line[1:] for line in lines])})
