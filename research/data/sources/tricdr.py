"""Toys and Games of Amazon with the same 7,996 users, as Tri-CDR cut them: two domains and their merged order.

| domain | users | items  | interactions |
|--------|-------|--------|--------------|
| mix    | 7,996 | 49,603 | 197,358      |
| toy    | 7,996 | 37,868 | 114,487      |
| game   | 7,996 | 11,735 | 82,871       |

In ``mix`` the toys are items 1 to 37,868 and game ``i`` is item ``37,868 + i``; restricted to one domain it is that
domain's sequence, for every user. Users have at least 3 interactions in each domain. An order, no times.

Source: https://github.com/hulkima/Tri-CDR (H. Ma and others, 2024: Triple Sequence Learning for Cross-domain
Recommendation, ACM TOIS). The repository holds pickles, which this framework does not read, as loading one runs code;
the files here are lines ``user item item ...`` made from them. Licence: none stated; Amazon reviews, for research.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.raw import Place, RawFile, Terms
from research.data.sources.amazon import MCAULEY
from research.data.sources.s3rec import read_sequences
from research.data.text_source import TextSource
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl

_SHA256 = {
    "mix": "c26bccc6166e3053ab093d9c7d294dfc1a09fb0d53401ca5e1c215bc8637459b",
    "toy": "22e0dde7a998fd6913c00f626245b38f127df540631b0a6831abec833785b7fc",
    "game": "8bad623510d0a0690dc6d93de608d80f95dd5a56414b792ef2499657a17acd35",
}
_TOYS = 37_868
_MA = Citation(
    authors="Ma, Haokai; Xie, Ruobing; Meng, Lei; Chen, Xin; Zhang, Xu; Lin, Leyu; Zhou, Jie",
    year=2024,
    title="Triple Sequence Learning for Cross-domain Recommendation",
    venue="ACM Transactions on Information Systems",
    doi="10.1145/3638351",
)
_COUNTS = {"mix": (49_603, 197_358), "toy": (37_868, 114_487), "game": (11_735, 82_871)}


@dataclass(frozen=True, kw_only=True)
class TriCdr(TextSource):
    """One domain, or both in their common order; the column ``domain`` says which."""

    domain: Literal["mix", "toy", "game"] = "mix"
    """Which file."""

    def __post_init__(self) -> None:
        if self.domain not in _SHA256:
            raise UserError(f"Tri-CDR has no domain {self.domain!r}. Known: {', '.join(_SHA256)}.")

    @property
    def name(self) -> str:
        return "toy-game" if self.domain == "mix" else f"toy-game-{self.domain}"

    @property
    def about(self) -> About:
        items, interactions = _COUNTS[self.domain]
        return About(
            users=7_996,
            items=items,
            interactions=interactions,
            times="order only",
            licence="none stated; research",
            cite=(_MA, MCAULEY),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Amazon reviews, prepared by Ma and others (2024) for Tri-CDR. For research; the files state no licence. "
            "Cite Ma and others (2024), Triple Sequence Learning for Cross-domain Recommendation.",
            "https://github.com/hulkima/Tri-CDR",
        )

    def files(self) -> tuple[RawFile, ...]:
        name = f"{self.domain}.txt"
        return (
            RawFile(
                name=name,
                sha256=_SHA256[self.domain],
                places=tuple(Place(f"tricdr-toy-game/{name}{packed}") for packed in ("", ".gz")),
                page="https://github.com/hulkima/Tri-CDR (as pickles, to be written as lines 'user item item ...')",
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        (content,) = raw.values()
        rows = read_sequences(content, self.name, self.malformed)
        if self.domain != "mix":
            return rows.with_columns(domain=pl.lit(self.domain))
        return rows.with_columns(domain=pl.when(pl.col("item") <= _TOYS).then(pl.lit("toy")).otherwise(pl.lit("game")))
