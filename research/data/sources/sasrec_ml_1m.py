"""MovieLens 1M as SASRec cut it, the file behind most tables: 6,040 users, 3,416 films, 999,611 interactions.

Users and films with fewer than 5 ratings were dropped and all star levels kept. The file has no times, only
an order: each user's rows stand in time order, so windows in minutes or days cannot be used with it.

Source: https://github.com/kang205/SASRec (W.-C. Kang and J. McAuley, 2018: Self-Attentive Sequential
Recommendation, ICDM), ``data/ml-1m.txt``. Licence: GroupLens research licence, no commercial use, no
redistribution; cite Harper and Konstan (2015).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About
from research.data.raw import Place, RawFile, Terms
from research.data.source import read_integers
from research.data.sources.movielens import HARPER
from research.data.sources.steam import KANG
from research.data.text_source import TextSource

if TYPE_CHECKING:
    import polars as pl

TERMS = Terms(
    "MovieLens 1M belongs to the GroupLens Research Project at the University of Minnesota. Use it for "
    "research, not for commercial purposes; do not redistribute it; cite Harper and Konstan (2015), "
    "doi:10.1145/2827872. The file is the one that Kang and McAuley (2018) prepared for SASRec.",
    "https://files.grouplens.org/datasets/movielens/ml-1m-README.txt",
)
_NAMES = ("ml-1m.txt", "ml-1m.txt.gz", "sasrec_ml-1m.txt", "sasrec_ml-1m.txt.gz")


@dataclass(frozen=True, kw_only=True)
class SasrecMovieLens1M(TextSource):
    """The rows ``user item`` of SASRec's ``ml-1m.txt``."""

    @property
    def name(self) -> str:
        return "ml-1m-sasrec"

    @property
    def about(self) -> About:
        return About(
            users=6_040,
            items=3_416,
            interactions=999_611,
            times="order only",
            licence="GroupLens: research, no redistribution",
            cite=(HARPER, KANG),
            download_bytes=9_053_831,
        )

    @property
    def terms(self) -> Terms:
        return TERMS

    def files(self) -> tuple[RawFile, ...]:
        return (
            RawFile(
                name="ml-1m.txt",
                sha256="b725f3acb3986fe3130bffd1e77a74d182a1f51799567a236dbd60270f95b0a2",
                places=tuple(Place(f"{folder}{name}") for folder in ("ml-1m/", "") for name in _NAMES),
                urls=(Place("https://raw.githubusercontent.com/kang205/SASRec/master/data/ml-1m.txt"),),
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        return read_integers(raw["ml-1m.txt"], ["user", "item"], " ", "ml-1m.txt", self.malformed)
