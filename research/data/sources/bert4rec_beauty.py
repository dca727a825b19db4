"""Amazon Beauty as BERT4Rec cut it: 40,226 users, 54,542 items, 353,962 interactions, an order but no times.

Users have at least 5 interactions; items were not filtered, so most occur only a few times. Not the Beauty of S3-Rec
(``beauty-s3``), which is a 5-core: numbers from the two must not stand in one table.

Source: https://github.com/FeiSun/BERT4Rec (F. Sun and others, 2019: BERT4Rec, CIKM), ``data/beauty.txt``. Licence:
the code is Apache-2.0; the data are Amazon reviews (McAuley and others 2015), for research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.raw import Place, RawFile, Terms
from research.data.source import read_integers
from research.data.sources.amazon import MCAULEY
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

_SUN = Citation(
    authors="Sun, Fei; Liu, Jun; Wu, Jian; Pei, Changhua; Lin, Xiao; Ou, Wenwu; Jiang, Peng",
    year=2019,
    title="BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from Transformer",
    venue="CIKM",
    doi="10.1145/3357384.3357895",
)


@dataclass(frozen=True, kw_only=True)
class Bert4RecBeauty(TextSource):
    """The rows ``user item`` of BERT4Rec's ``beauty.txt``."""

    @property
    def name(self) -> str:
        return "beauty-bert4rec"

    @property
    def about(self) -> About:
        return About(
            users=40_226,
            items=54_542,
            interactions=353_962,
            times="order only",
            licence="none stated; research",
            cite=(MCAULEY, _SUN),
            download_bytes=3_912_093,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Amazon reviews 2014, prepared by Sun and others (2019) for BERT4Rec. For research; no licence is stated "
            "for the data. Cite McAuley and others (2015), doi:10.1145/2766462.2767755.",
            "https://github.com/FeiSun/BERT4Rec",
        )

    def files(self) -> tuple[RawFile, ...]:
        folders = ("sasrec-bert4rec/", "")
        return (
            RawFile(
                name="beauty.txt",
                sha256="f480b7a7403852342ffd8f9809bb30697dd669be31813d0e204b698fec86ef49",
                places=tuple(Place(f"{folder}beauty.txt{packed}") for folder in folders for packed in ("", ".gz")),
                urls=(Place("https://raw.githubusercontent.com/FeiSun/BERT4Rec/master/data/beauty.txt"),),
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        return read_integers(raw["beauty.txt"], ["user", "item"], " ", "beauty.txt", self.malformed)
