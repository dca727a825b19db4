"""Amazon reviews of 2023 by category: 33 of them, 571.54 million reviews from 1996 to 2023, in milliseconds.

| core  | what                                                                       | file                       |
|-------|----------------------------------------------------------------------------|----------------------------|
| 5core | users and items of at least 5, repeats of a pair removed (earliest kept)   | ``benchmark/5core`` (csv)  |
| all   | repeats of a pair removed, nothing else                                    | ``benchmark/0core`` (csv)  |
| raw   | every review, repeats of a pair too                                        | ``raw/review_categories``  |

An item is a ``parent_asin``: colours and sizes of one product are one item. Titles come from the metadata, which is
larger than the ratings; they come along when a directory or the hub's cache has them, and are fetched with ``titles``.

Source: https://amazon-reviews-2023.github.io and the hub's ``McAuley-Lab/Amazon-Reviews-2023`` (Y. Hou and others,
2024: Bridging Language and Items for Retrieval and Recommendation). Licence: none stated; research.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import by_moment
from research.data.delimited import Delimited
from research.data.lines import line_blocks, records
from research.data.raw import GIBIBYTE, HubFile, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_REPO = "McAuley-Lab/Amazon-Reviews-2023"
_URL = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/"
HOU = Citation(
    authors="Hou, Yupeng; Li, Jiacheng; He, Zhankui; Yan, An; Chen, Xiusi; McAuley, Julian",
    year=2024,
    title="Bridging Language and Items for Retrieval and Recommendation",
    venue="arXiv:2403.03952",
    url="https://arxiv.org/abs/2403.03952",
)
# Users, items, interactions as published, where known.
_COUNTS = {
    ("Video_Games", "5core"): (94_762, 25_612, 814_586),
    ("All_Beauty", "raw"): (631_986, 112_565, 693_929),
    ("Video_Games", "raw"): (2_766_656, 137_249, 4_555_500),
    ("Books", "raw"): (10_297_355, 4_446_065, 29_139_329),
}
_MD5 = {
    "Beauty_and_Personal_Care": "md5:6b9dfce7fca70dd05e1bcf77c1953c40",
    "Books": "md5:9d5d693dae385efa9053961675e1f14a",
}
"""Of ``benchmark/0core/rating_only/<category>.csv.gz``."""
_SECONDS = 10**11  # later than this year only in milliseconds


@dataclass(frozen=True, kw_only=True)
class Amazon2023(Streamed):
    """One category."""

    category: str = "Video_Games"
    """As the publisher's file names write it, such as All_Beauty or CDs_and_Vinyl."""
    core: Literal["5core", "all", "raw"] = "5core"
    """Which file."""
    titles_too: bool = False
    """Whether to fetch the metadata, hundreds of megabytes, for the items' titles."""

    def __post_init__(self) -> None:
        if self.core not in ("5core", "all", "raw"):
            raise UserError(f"amazon-2023: core is {self.core!r}; it must be 5core, all or raw.")
        if not re.fullmatch(r"\w+", self.category):
            raise UserError(
                f"amazon-2023: {self.category!r} is not a category; write it as All_Beauty or CDs_and_Vinyl."
            )

    @property
    def name(self) -> str:
        ending = {"5core": "-5core", "all": "", "raw": "-raw"}[self.core]
        return f"amazon-2023-{self.category.lower().replace('_', '-')}{ending}"

    @property
    def about(self) -> About:
        users, items, interactions = _COUNTS.get((self.category, self.core), (None, None, None))
        licence = "none stated; research"
        return About(
            users=users, items=items, interactions=interactions, times="milliseconds", licence=licence, cite=(HOU,)
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Amazon reviews 2023. For research; no licence is stated, so do not redistribute them. Cite Hou and others "
            "(2024), arXiv:2403.03952.",
            "https://amazon-reviews-2023.github.io",
        )

    def files(self) -> tuple[RawFile, ...]:
        if self.core == "raw":
            path, checksum = f"raw/review_categories/{self.category}.jsonl", ""
        else:
            path = f"benchmark/{'5core' if self.core == '5core' else '0core'}/rating_only/{self.category}.csv"
            checksum = _MD5.get(self.category, "") if self.core == "all" else ""
        meta = self._file(f"raw/meta_categories/meta_{self.category}.jsonl", "")
        return self._file(path, checksum), replace(meta, optional=not self.titles_too)

    def _file(self, path: str, checksum: str) -> RawFile:
        name = path.rpartition("/")[2]
        # The folders of the hub and of its server, or one named like the set: Books.csv alone could be any core.
        loose = (path, f"amazon_2023/{path}", f"amazon-2023/{path}", f"{self.name}/{name}")
        return RawFile(
            name=name,
            places=tuple(
                Place(f"{at}{packed}", checksum=checksum if packed else "") for at in loose for packed in _PACKED
            ),
            hub=HubFile(repo=_REPO, path=path),
            urls=(Place(f"{_URL}{path}.gz", checksum=checksum),),
            max_bytes=64 * GIBIBYTE,
        )

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        name = next(name for name in raw if not name.startswith("meta_"))
        with opened(raw, name) as file:
            if self.core == "raw":
                tables = line_blocks(file, _WANTED, name=name, malformed=self.malformed)
            else:
                tables = Delimited(name=name).blocks(file, _WANTED, malformed=self.malformed)
            for rows in tables:
                if not rows.is_empty() and rows.select(pl.col("time").max()).item() < _SECONDS:
                    raise UserError(
                        f"{name}: the times are seconds; in these files they are milliseconds. Is it the right file?"
                    )
                yield by_moment(rows)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        meta = next((name for name in raw if name.startswith("meta_")), None)
        if meta is None:
            return None
        with opened(raw, meta) as file:
            found = (record for _, record in records(file) if record)
            return {
                str(one["parent_asin"]): str(one.get("title") or "").strip() for one in found if "parent_asin" in one
            }


_PACKED = ("", ".gz")
_WANTED = {
    "user": ("user_id", str),
    "item": ("parent_asin", str),
    "rating": ("rating", float),
    "time": ("timestamp", int),
}
