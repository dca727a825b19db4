"""Yambda: listening to music on Yandex's service, with likes and dislikes, in steps of 5 seconds over 300 days.

| size | users   | tracks    | listens     | likes     | dislikes  |
|------|---------|-----------|-------------|-----------|-----------|
| 50m  | 10,000  | 934,057   | 46,467,212  | 881,456   | 107,776   |
| 500m | 100,000 | 3,004,578 | 466,512,103 | 9,033,960 | 1,128,113 |

Users and tracks are counted over all events: 9,238 users of ``50m`` listened, to 877,168 tracks. Times are seconds, all
multiples of 5, from an unnamed first moment: differences are right, dates are not. A track counts as heard when more
than half of it was played (``min_played: 50``), as the authors count; the share may exceed 100. ``organic`` tells what
a person chose from what was recommended, as the column ``scenario``. People hear the same track again and again.

Source: https://huggingface.co/datasets/yandex/yambda, ``flat/`` (A. Ploshkin and others, 2025: Yambda-5B). Licence:
Apache 2.0. The largest size, 5b with 4.6 billion listens, does not fit this reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from research.data.about import About, Citation
from research.data.raw import GIBIBYTE, HubFile, Place, RawFile, Terms, opened
from research.data.source import Source
from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

# Users and tracks of all events, then listens, likes, dislikes.
_COUNTS = {
    "50m": (10_000, 934_057, {"listens": 46_467_212, "likes": 881_456, "dislikes": 107_776}),
    "500m": (100_000, 3_004_578, {"listens": 466_512_103, "likes": 9_033_960, "dislikes": 1_128_113}),
}
_PLOSHKIN = Citation(
    authors="Ploshkin, A.; Tytskiy, V.; Pismenny, A.; Baikalov, V.; Taychinov, E.; Permiakov, A.; Burlakov, D.; "
    "Krofto, E.; Savushkin, N.",
    year=2025,
    title="Yambda-5B: A Large-Scale Multi-modal Dataset for Ranking And Retrieval",
    venue="arXiv:2505.22238",
    url="https://arxiv.org/abs/2505.22238",
)
_AT_ONCE = 1_000_000  # rows
_COLUMNS = {"user": "uid", "item": "item_id", "time": "timestamp", "scenario": "is_organic"}


@dataclass(frozen=True, kw_only=True)
class Yambda(Source):
    """One kind of event of one size."""

    size: Literal["50m", "500m"] = "50m"
    """Which selection of users."""
    events: Literal["listens", "likes", "dislikes"] = "listens"
    """What counts as an interaction."""
    min_played: float = 50.0
    """Of listens: percent of the track that must have been exceeded; -1 keeps all."""

    def __post_init__(self) -> None:
        if self.size not in _COUNTS or self.events not in ("listens", "likes", "dislikes"):
            raise UserError(
                "yambda: size is 50m or 500m and events is listens, likes or dislikes, "
                f"not {self.size!r} and {self.events!r}."
            )

    @property
    def name(self) -> str:
        size = "" if self.size == "50m" else f"-{self.size}"
        return f"yambda{size}{'' if self.events == 'listens' else f'-{self.events}'}"

    @property
    def about(self) -> About:
        users, items, rows = _COUNTS[self.size]
        return About(
            users=users,
            items=items,
            interactions=rows[self.events],
            times="seconds, in steps of 5",
            licence="Apache 2.0",
            cite=(_PLOSHKIN,),
        )

    @property
    def terms(self) -> Terms:
        return Terms(
            "Yambda by Yandex, Apache License 2.0, published for research. Cite Ploshkin and others (2025), "
            "arXiv:2505.22238.",
            "https://huggingface.co/datasets/yandex/yambda",
        )

    def files(self) -> tuple[RawFile, ...]:
        path = f"flat/{self.size}/{self.events}.parquet"
        return (
            RawFile(
                name=f"{self.events}.parquet",
                places=tuple(Place(f"{folder}{path}") for folder in ("yambda/", "yandex/yambda/", "")),
                hub=HubFile(repo="yandex/yambda", path=path),
                max_bytes=16 * GIBIBYTE,
                page="https://huggingface.co/datasets/yandex/yambda",
            ),
        )

    def read(self, raw: Mapping[str, bytes]) -> pl.DataFrame:
        import polars as pl

        return pl.concat(self.blocks(raw))

    def blocks(self, raw: Mapping[str, bytes]) -> Iterator[pl.DataFrame]:
        import pyarrow as pa
        from pyarrow import parquet

        (name,) = raw
        wanted = [*_COLUMNS.values(), *(["played_ratio_pct"] if self.events == "listens" else [])]
        with opened(raw, name) as file:
            try:
                table = parquet.ParquetFile(file)
                absent = [column for column in wanted if column not in table.schema_arrow.names]
            except (pa.ArrowException, OSError) as error:
                raise UserError(f"{name} is not a Parquet file ({str(error).splitlines()[0]}).") from error
            if absent:
                raise UserError(f"{name} has no column {absent[0]!r}. Is it the right file?")
            yield self._rows(table.schema_arrow.empty_table().select(wanted), name)
            for batch in table.iter_batches(_AT_ONCE, columns=wanted):
                yield self._rows(pa.Table.from_batches([batch]), name)

    def _rows(self, table: pa.Table, name: str) -> pl.DataFrame:
        import polars as pl

        rows = pl.DataFrame(table)
        if self.events == "listens" and self.min_played >= 0:
            rows = rows.filter(pl.col("played_ratio_pct") > self.min_played)
        rows = rows.select(**{ours: pl.col(theirs).cast(pl.Int64) for ours, theirs in _COLUMNS.items()})
        if missing := rows.select(pl.any_horizontal(pl.col("user", "item", "time").is_null()).sum()).item():
            raise UserError(f"{name}: {missing:,} rows have no user, item or time. Is it the right file, and whole?")
        organic = pl.when(pl.col("scenario") == 1).then(pl.lit("organic")).otherwise(pl.lit("recommended"))
        return rows.with_columns(scenario=organic)
