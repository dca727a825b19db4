"""MIND: news of Microsoft with titles; what was shown to readers in 2019 and what they clicked, to the second.

The large selection has 1,000,000 readers, about 160,000 news and more than 15 million pages with its test set; the
small one has 50,000 readers.

A row of ``behaviors.tsv`` is a page of news that was shown, some of it clicked; a click is an interaction, at the
page's time. Several clicks on one page tie, in the order in which the page lists them, which is shuffled. Each row
also names what the reader had clicked before the log begins, in order but without times. By default that past is
left out, so that all times are true. ``history: before`` puts it, once a reader, one second before their first page
and flags it in ``exact_time``: more to learn from, but a window in minutes then sees weeks as one moment.

Training and development sets are read as one log; the split of this framework cuts it anew. The test set has no
clicks. Ranking only what was shown, as the MIND papers do, is another protocol than ranking the catalogue.

Source: https://msnews.github.io (F. Wu and others, 2020: MIND, ACL). Licence: Microsoft Research, non-commercial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import Written
from research.data.delimited import Delimited
from research.data.malformed import Malformed
from research.data.raw import GIBIBYTE, Place, RawFile, Terms
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_URL = "https://recodatasets.z20.web.core.windows.net/newsrec/"
_PARTS = ("train", "dev")
_CHECKSUMS = {
    "small_train": "md5:bd6ae77fa15949653f39829e946d327c",
    "small_dev": "md5:1c9e798fe440c1999547211cd5245e3e",
    "large_train": "md5:0bfe5f08404a69b2bd76721e7b7f7d5d",
    "large_dev": "md5:64b9fc265c16814ba0f470542ef6cd69",
}
_WU = Citation(
    authors="Wu, Fangzhao; Qiao, Ying; Chen, Jiun-Hung; Wu, Chuhan; Qi, Tao; Lian, Jianxun; Liu, Danyang; Xie, Xing; "
    "Gao, Jianfeng; Wu, Winnie; Zhou, Ming",
    year=2020,
    title="MIND: A Large-scale Dataset for News Recommendation",
    venue="ACL",
    doi="10.18653/v1/2020.acl-main.331",
)


@dataclass(frozen=True, kw_only=True)
class Mind(TextSource):
    """The clicks of the training and the development set, with titles."""

    size: Literal["small", "large"]
    """Which selection of readers."""
    history: Literal["drop", "before"] = "drop"
    """What happens to earlier clicks that have no time."""

    def __post_init__(self) -> None:
        if self.size not in ("small", "large") or self.history not in ("drop", "before"):
            raise UserError(
                f"mind: size is small or large and history is drop or before, not {self.size!r} and {self.history!r}."
            )

    @property
    def name(self) -> str:
        return f"mind-{self.size}"

    @property
    def about(self) -> About:
        return About(
            users=1_000_000 if self.size == "large" else 50_000,
            items=160_000 if self.size == "large" else None,  # about
            users_are="readers",
            times="seconds",
            licence="Microsoft Research: non-commercial",
            cite=(_WU,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "MIND, Microsoft News Dataset. Microsoft Research License: research, not for commercial purposes. Cite Wu "
            "and others (2020), doi:10.18653/v1/2020.acl-main.331.",
            "https://msnews.github.io",
        )

    def files(self) -> tuple[RawFile, ...]:
        def file(part: str, kind: str) -> RawFile:
            archive = f"MIND{self.size}_{part}"
            checksum = _CHECKSUMS[f"{self.size}_{part}"]
            packed = (Place(f"{folder}{archive}.zip", f"{kind}.tsv", checksum) for folder in ("", "mind/"))
            return RawFile(
                name=f"{part}-{kind}.tsv",
                places=(Place(f"{archive}/{kind}.tsv"), Place(f"mind/{archive}/{kind}.tsv"), *packed),
                urls=(Place(f"{_URL}{archive}.zip", f"{kind}.tsv", checksum),),
                max_bytes=4 * GIBIBYTE,
                optional=kind == "news",
                page="https://msnews.github.io",
            )

        return tuple(file(part, kind) for part in _PARTS for kind in ("behaviors", "news"))

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        parts = [_pages(raw[f"{part}-behaviors.tsv"], f"{part}-behaviors.tsv", self.malformed) for part in _PARTS]
        pages = pl.concat(parts).with_columns(exact_time=pl.lit(True))
        columns = ["user", "item", "time", "exact_time"]
        clicked = pl.col("shown").str.extract_all(r"\S+-1\b")  # before rows are made of it: most was not clicked
        clicks = pages.with_columns(item=clicked).explode("item").filter(pl.col("item").is_not_null())
        clicks = clicks.with_columns(pl.col("item").str.strip_suffix("-1")).select(columns)
        if self.history == "drop":
            return clicks
        first = pages.sort("time", maintain_order=True).unique("user", keep="first", maintain_order=True)
        past = first.filter(pl.col("history").is_not_null()).select(
            "user", pl.col("time") - 1, item=pl.col("history").str.extract_all(r"\S+"), exact_time=pl.lit(False)
        )
        return pl.concat([past.explode("item").select(columns), clicks])

    def titles(self, raw: Mapping[str, bytes]) -> dict[str, str] | None:
        titles: dict[str, str] = {}
        for name in (f"{part}-news.tsv" for part in _PARTS):
            # Titles hold quotation marks that nothing closes: the tab alone parts fields, the line break rows.
            lines = (line.split("\t") for line in raw.get(name, b"").decode("utf-8").split("\n"))
            titles |= {line[0]: line[3].strip() for line in lines if len(line) > 3}
        return titles or None

    def item_features(self, raw: Mapping[str, bytes]) -> pl.DataFrame | None:
        """Each article's ``category`` and ``subcategory``."""
        import polars as pl

        rows: dict[str, tuple[str, str]] = {}
        for name in (f"{part}-news.tsv" for part in _PARTS):
            lines = (line.split("\t") for line in raw.get(name, b"").decode("utf-8").split("\n"))
            rows |= {line[0]: (line[1], line[2]) for line in lines if len(line) > 3}
        columns = ["item", "category", "subcategory"]
        return pl.DataFrame([(item, *said) for item, said in rows.items()], columns, orient="row") if rows else None


def _pages(content: bytes, name: str, malformed: Malformed) -> pl.DataFrame:
    import polars as pl

    kinds = {"page": str, "user": str, "time": str, "history": str, "shown": str}
    layout = Delimited(name=name, separator="\t", columns=tuple(kinds), quote=None)
    wanted = {key: (key, kinds[key]) for key in ("user", "time", "history", "shown")}
    wanted |= {"time": ("time", Written("%m/%d/%Y %I:%M:%S %p"))}
    rows = layout.read(content, wanted, may_be_empty=["history"], malformed=malformed)
    return rows.with_columns(pl.col("time") // 1000)
