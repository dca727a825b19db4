"""Amazon reviews of 2014 and 2018 by category: every rating, or the official 5-core. Times are whole days.

Amazon 2014 has 24 categories and 142.8 million reviews (Beauty: 1,210,271 users, 249,274 items, 2,023,070 reviews;
Books: 22,507,155 reviews), Amazon 2018 has 29 and 233.1 million. ``core: all`` reads the ratings table. Its columns
are user, item, rating, time in 2014 and ITEM, user, rating, time in 2018. ``core: 5core`` reads the reviews that the
publisher filtered so that users and items have at least 5; filter them again and you have another set. As times are
days, equal times are the rule and keep the file's order. Some user-item pairs stand twice or more.

Titles come from ``meta_<category>.json.gz``, where a directory of yours has it: in 2014 a Python dictionary a line,
in 2018 JSON.

Source: https://jmcauley.ucsd.edu/data/amazon/ (J. McAuley and others, 2015: Image-based Recommendations on Styles
and Substitutes, SIGIR) and https://nijianmo.github.io/amazon/ (J. Ni and others, 2019: Justifying Recommendations
using Distantly-Labeled Reviews, EMNLP). Licence: none stated; research, no redistribution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.delimited import Delimited
from research.data.lines import line_blocks, records
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_2014 = "http://snap.stanford.edu/data/amazon/productGraph/categoryFiles/"
_2018 = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_v2/categoryFilesSmall/"
_TERMS = {
    2014: Terms(
        "Amazon reviews 2014. For research; no licence is stated, so do not redistribute them. Cite McAuley and "
        "others (2015), doi:10.1145/2766462.2767755.",
        "https://jmcauley.ucsd.edu/data/amazon/",
    ),
    2018: Terms(
        "Amazon reviews 2018. For research; no licence is stated, so do not redistribute them. Cite Ni, Li and "
        "McAuley (2019), doi:10.18653/v1/D19-1018.",
        "https://nijianmo.github.io/amazon/",
    ),
}
MCAULEY = Citation(
    authors="McAuley, Julian; Targett, Christopher; Shi, Qinfeng; van den Hengel, Anton",
    year=2015,
    title="Image-Based Recommendations on Styles and Substitutes",
    venue="SIGIR",
    doi="10.1145/2766462.2767755",
)
NI = Citation(
    authors="Ni, Jianmo; Li, Jiacheng; McAuley, Julian",
    year=2019,
    title="Justifying Recommendations using Distantly-Labeled Reviews and Fine-Grained Aspects",
    venue="EMNLP-IJCNLP",
    doi="10.18653/v1/D19-1018",
)
# Users, items, interactions as published, where known.
_COUNTS = {
    (2014, "Beauty", "5core"): (22_363, 12_101, 198_502),
    (2014, "Beauty", "all"): (1_210_271, 249_274, 2_023_070),
    (2014, "Books", "all"): (8_026_324, 2_330_066, 22_507_155),
}


@dataclass(frozen=True, kw_only=True)
class AmazonReviews(Streamed):
    """One category of one year."""

    year: Literal[2014, 2018]
    """Which collection."""
    category: str
    """As the publisher's file names write it, such as Beauty, Video_Games or CDs_and_Vinyl."""
    core: Literal["all", "5core"] = "5core"
    """All ratings, or the publisher's 5-core."""

    def __post_init__(self) -> None:
        if self.year not in _TERMS or self.core not in ("all", "5core"):
            raise UserError(
                f"amazon: year is 2014 or 2018 and core is all or 5core, not {self.year!r} and {self.core!r}."
            )
        if not re.fullmatch(r"\w+", self.category):
            raise UserError(f"amazon: {self.category!r} is not a category; write it as Beauty or CDs_and_Vinyl.")

    @property
    def name(self) -> str:
        return f"amazon-{self.year}-{self.category.lower().replace('_', '-')}{'-5core' if self.core == '5core' else ''}"

    @property
    def about(self) -> About:
        users, items, interactions = _COUNTS.get((self.year, self.category, self.core), (None, None, None))
        return About(
            users=users,
            items=items,
            interactions=interactions,
            times="days",
            licence="none stated; research",
            cite=(MCAULEY if self.year == 2014 else NI,),
        )

    @property
    def terms(self) -> Terms:
        return _TERMS[self.year]

    def files(self) -> tuple[RawFile, ...]:
        old = self.year == 2014
        base = _2014 if old else _2018
        if self.core == "5core":
            name = f"reviews_{self.category}_5.json" if old else f"{self.category}_5.json"
            packed = f"{name}.gz"
        else:
            name = packed = f"ratings_{self.category}.csv" if old else f"{self.category}.csv"
        meta = f"meta_{self.category}.json"
        return (
            RawFile(name=name, places=self._places(name), urls=(Place(base + packed),), max_bytes=32 * GIBIBYTE),
            RawFile(name=meta, places=self._places(meta), max_bytes=32 * GIBIBYTE, optional=True),
        )

    def _places(self, name: str) -> tuple[Place, ...]:
        folders = (f"amazon-{self.year}/", "amazon-2018-small/" if self.year == 2018 else "")
        return tuple(Place(f"{folder}{name}{packed}") for folder in folders for packed in ("", ".gz"))

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        name = next(name for name in raw if not name.startswith("meta_"))
        if self.core == "5core":
            keys = {"user": "reviewerID", "item": "asin", "rating": "overall", "time": "unixReviewTime"}
            wanted = {ours: (theirs, _KINDS[ours]) for ours, theirs in keys.items()}
            with opened(raw, name) as file:
                yield from line_blocks(file, wanted, name=name, malformed=self.malformed)
            return
        first = ("user", "item") if self.year == 2014 else ("item", "user")
        layout = Delimited(name=name, columns=(*first, "rating", "time"))
        wanted = {ours: (ours, kind) for ours, kind in _KINDS.items()}
        with opened(raw, name) as file:
            yield from layout.blocks(file, wanted, malformed=self.malformed)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        meta = next((name for name in raw if name.startswith("meta_")), None)
        if meta is None:
            return None
        with opened(raw, meta) as file:
            found = (record for _, record in records(file, python=self.year == 2014) if record)
            return {str(one["asin"]): str(one.get("title") or "").strip() for one in found if "asin" in one}


_KINDS = {"user": str, "item": str, "rating": float, "time": int}
