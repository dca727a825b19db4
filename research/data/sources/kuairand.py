"""KuaiRand: videos shown in an app, with twelve kinds of feedback, its pages as scenarios, and random exposures.

| size | users  | videos    | shown, standard | shown at random |
|------|--------|-----------|-----------------|-----------------|
| pure | 27,285 | 7,551     | 1,436,609       | 1,186,059       |
| 1k   | 1,000  | 4,369,953 | 11,713,045      | some            |

A row is a video that was shown on a page of the app (``tab`` 0 to 14, the column ``scenario``). What counts as an
interaction is chosen: by default that it was clicked. Random exposures were put into the feed regardless of taste;
they are left out by default, and good for unbiased evaluation (column ``behaviour``: standard or random). Times are
milliseconds in 2022. The largest size, 27k with 322 million rows, does not fit this reader.

Source: https://kuairand.com (C. Gao and others, 2022: KuaiRand, CIKM). Licence: CC BY-SA 4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.clock import by_moment
from research.data.delimited import Delimited
from research.data.raw import GIBIBYTE, Place, RawFile, Terms, opened
from research.data.text_source import Streamed
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_SIZES = {
    "pure": ("KuaiRand-Pure", "md5:0820331067a3784d9691136f772b35a7"),
    "1k": ("KuaiRand-1K", "md5:6b0b9c8222d67fcd4c676218edca3f1f"),
}
_STANDARD = ("log_standard_4_08_to_4_21", "log_standard_4_22_to_5_08")
_RANDOM = "log_random_4_22_to_5_08"
_GAO = Citation(
    authors="Gao, Chongming; Li, Shijun; Zhang, Yuan; Chen, Jiawei; Li, Biao; Lei, Wenqiang; Jiang, Peng; He, Xiangnan",
    year=2022,
    title="KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly Exposed Videos",
    venue="CIKM",
    doi="10.1145/3511808.3557624",
)


@dataclass(frozen=True, kw_only=True)
class KuaiRand(Streamed):
    """The rows with the chosen feedback."""

    size: Literal["pure", "1k"]
    """Which selection of users and videos."""
    feedback: Literal["shown", "is_click", "long_view", "is_like", "is_follow", "is_comment", "is_forward"] = "is_click"
    """What makes a row an interaction."""
    random: bool = False
    """Whether random exposures are rows too."""

    def __post_init__(self) -> None:
        if self.size not in _SIZES:
            raise UserError(f"KuaiRand has no size {self.size!r}. Known: {', '.join(_SIZES)}.")

    @property
    def name(self) -> str:
        return f"kuairand-{self.size}"

    @property
    def about(self) -> About:
        pure = self.size == "pure"
        return About(
            users=27_285 if pure else 1_000,
            items=7_551 if pure else 4_369_953,
            interactions=1_436_609 if pure else 11_713_045,
            times="milliseconds",
            licence="CC BY-SA 4.0",
            cite=(_GAO,),
            download_bytes=184_000_000 if pure else 829_000_000,
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "KuaiRand, CC BY-SA 4.0. Cite Gao and others (2022), doi:10.1145/3511808.3557624.", "https://kuairand.com"
        )

    def files(self) -> tuple[RawFile, ...]:
        folder, checksum = _SIZES[self.size]

        def file(stem: str) -> RawFile:
            name = f"{stem}_{self.size}.csv"
            member, archive = f"{folder}/data/{name}", f"{folder}.tar.gz"
            packed = (Place(f"{below}{archive}", member, checksum) for below in ("", "kuairand/"))
            return RawFile(
                name=name,
                places=(Place(member), Place(f"kuairand/{name}"), Place(name), *packed),
                urls=(Place(f"https://zenodo.org/records/10439422/files/{archive}", member, checksum),),
                max_bytes=2 * GIBIBYTE,
            )

        return tuple(file(stem) for stem in (*_STANDARD, *([_RANDOM] if self.random else [])))

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import polars as pl

        wanted = {"user": ("user_id", int), "item": ("video_id", int), "time": ("time_ms", int)}
        wanted |= {"scenario": ("tab", int), "random": ("is_rand", int)}
        if self.feedback != "shown":
            wanted["feedback"] = (self.feedback, int)
        wished = pl.lit(True) if self.feedback == "shown" else pl.col("feedback") == 1
        exposure = pl.when(pl.col("random") == 1).then(pl.lit("random")).otherwise(pl.lit("standard"))
        for name in raw:
            with opened(raw, name) as file:
                for rows in Delimited(name=name).blocks(file, wanted, malformed=self.malformed):
                    rows = rows.filter(wished).select("user", "item", "time", "scenario", behaviour=exposure)
                    yield by_moment(rows)
