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
them unreachable.

Source: https://github.com/RUCAIBox/CIKM2020-S3Rec (K. Zhou and others, 2020: S3-Rec, CIKM), ``data/``.
Licence: none stated; Amazon reviews (McAuley and others 2015) for research, Yelp Open Dataset for academic
use, no redistribution; HetRec Last.fm (Cantador and others 2011), non-commercial. No SHA-256 of the LastFM file is
known: the first one that comes is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.raw import Place, RawFile, Terms
from research.data.source import Source
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


@dataclass(frozen=True, kw_only=True)
class S3Rec(Source):
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
    def terms(self) -> Terms:
        return _TERMS.get(self.category, _AMAZON)

    def files(self) -> tuple[RawFile, ...]:
        stem, sha256 = _FILES[self.category]
        names = (f"{stem}.txt", f"{stem}.txt.gz")
        return (
            RawFile(
                name=f"{stem}.txt",
                sha256=sha256,
                places=tuple(Place(f"{folder}{name}") for folder in ("s3rec/", "") for name in names),
                urls=(Place(f"{_URL}{stem}.txt"),),
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        (content,) = raw.values()
        return read_sequences(content, self.name)


def read_sequences(content: bytes, name: str) -> pl.DataFrame:
    """Lines ``user item item ...`` in integers as rows ``user``, ``item``, in order.

    Raises:
        UserError: a line is something else.
    """
    import numpy as np
    import polars as pl

    try:
        lines = [np.array(line.split(), dtype=np.int64) for line in content.splitlines() if line.strip()]
    except ValueError as error:
        raise UserError(f"{name}: a line is not 'user item item ...' in integers ({error}).") from error
    if not lines:
        return pl.DataFrame(schema={"user": pl.Int64, "item": pl.Int64})
    users = np.repeat([line[0] for line in lines], [len(line) - 1 for line in lines])
    return pl.DataFrame({"user": users, "item": np.concatenate([line[1:] for line in lines])})
