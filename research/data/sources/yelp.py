"""Yelp: reviews of shops and restaurants to the second, with names of places. The edition decides the content.

| edition | users     | places  | reviews   |
|---------|-----------|---------|-----------|
| 2022    | 1,987,929 | 150,346 | 6,990,280 |
| 2018    | 1,326,101 | 174,567 | 5,261,669 |

Yelp replaces the set from time to time, under the same file names: say which edition you have in a paper. The first
file that comes is recorded by its hash. A review counts as an interaction; somebody may review a place again. Times are
the place's local ones without a zone and are read as UTC: differences across zones are hours off. The oldest editions
have days only. ``Yelp-JSON.zip`` holds ``yelp_dataset.tar``: take that out of it, or unpack both.

Source: https://business.yelp.com/data/resources/open-dataset/ (a form). The widely used cut of 2019 is ``yelp-s3``.
Licence: Yelp's dataset terms: academic and personal use, no redistribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.lines import line_blocks, records
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed

if TYPE_CHECKING:
    import polars as pl

_PAGE = "https://business.yelp.com/data/resources/open-dataset/"
_ARCHIVES = ("yelp_dataset.tar", "yelp_dataset.tgz", "yelp-dataset.zip")
YELP = Citation(authors="Yelp Inc.", year=2022, title="Yelp Open Dataset", url=_PAGE)


@dataclass(frozen=True, kw_only=True)
class Yelp(Streamed):
    """The reviews, with the names of places where ``business.json`` is beside them."""

    @property
    def name(self) -> str:
        return "yelp"

    @property
    def about(self) -> About:
        return About(
            users=1_987_929,  # of the edition of 2022
            items=150_346,
            interactions=6_990_280,
            times="seconds, local",
            licence="Yelp: academic, no redistribution",
            cite=(YELP,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Yelp Open Dataset. For academic and personal use under Yelp's dataset terms, which you accept at the "
            "download; no redistribution.",
            _PAGE,
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(kind: str, optional: bool = False) -> RawFile:
            name = f"yelp_academic_dataset_{kind}.json"
            loose = (name, f"yelp/{name}", f"yelp_dataset/{name}")
            packed = (Place(f"{below}{archive}", name) for below in ("", "yelp/") for archive in _ARCHIVES)
            places = (*map(Place, loose), *packed, Place("yelp/archive.zip", name))
            return RawFile(name=name, places=places, max_bytes=16 * GIBIBYTE, optional=optional, page=_PAGE)

        return file("review"), file("business", optional=True)

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        name = "yelp_academic_dataset_review.json"
        with opened(raw, name) as file:
            first = next((str(record.get("date")) for _, record in records(file) if record), "")
        written = Written("%Y-%m-%d" if len(first) == len("2018-01-31") else "%Y-%m-%d %H:%M:%S")
        wanted = {"user": ("user_id", str), "item": ("business_id", str), "rating": ("stars", float)}
        with opened(raw, name) as file:
            for rows in line_blocks(file, wanted | {"time": ("date", written)}, name=name, malformed=self.malformed):
                yield rows.with_columns(pl.col("time") // 1000)

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        name = "yelp_academic_dataset_business.json"
        if name not in raw:
            return None
        with opened(raw, name) as file:
            found = (record for _, record in records(file) if record)
            return {
                str(one["business_id"]): str(one.get("name") or "").strip() for one in found if "business_id" in one
            }
