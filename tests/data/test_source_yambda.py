"""Yambda's Parquet files, written here with the column types that its card states."""

from __future__ import annotations

import io

import polars as pl
import pytest

from research.data.sources.yambda import Yambda
from research.errors import UserError


def parquet(**columns: pl.Series) -> bytes:
    sink = io.BytesIO()
    pl.DataFrame(columns).write_parquet(sink)
    return sink.getvalue()


def u32(*values: int | None) -> pl.Series:
    return pl.Series(values, dtype=pl.UInt32)


LISTENS = {
    "uid": u32(100, 100, 100, 200, 200),
    "timestamp": u32(39420, 39420, 39625, 0, 26_000_000),
    "item_id": u32(9045354, 22, 22, 9390623, 22),
    "is_organic": pl.Series([0, 1, 1, 0, 1], dtype=pl.UInt8),
    "played_ratio_pct": pl.Series([100, 50, 159, 51, 0], dtype=pl.UInt16),
    "track_length_seconds": u32(170, 105, 105, 220, 105),
}


def test_heard_is_more_than_half_and_equal_times_keep_the_order_of_the_file() -> None:
    table = Yambda().read({"listens.parquet": parquet(**LISTENS)})
    assert table.select("user", "item", "time", "scenario").rows() == [
        (100, 9045354, 39420, "recommended"),
        (100, 22, 39625, "organic"),
        (200, 9390623, 0, "recommended"),
    ]
    every = Yambda(min_played=-1).read({"listens.parquet": parquet(**LISTENS)})
    assert every["item"].to_list() == [9045354, 22, 22, 9390623, 22]
    assert every["time"].max() == 26_000_000, "seconds already: 300 days, not 1,500"


def test_likes_have_no_share_that_was_played() -> None:
    likes = {
        name: column for name, column in LISTENS.items() if name not in ("played_ratio_pct", "track_length_seconds")
    }
    assert len(Yambda(events="likes").read({"likes.parquet": parquet(**likes)})) == 5
    with pytest.raises(UserError, match=r"listens\.parquet has no column 'played_ratio_pct'"):
        Yambda().read({"listens.parquet": parquet(**likes)})


def test_what_is_no_such_file_is_said() -> None:
    with pytest.raises(UserError, match="not a Parquet file"):
        Yambda().read({"listens.parquet": b"uid,item_id\n1,2\n"})
    holes = LISTENS | {"timestamp": u32(39420, None, 39625, None, 26_000_000)}
    with pytest.raises(UserError, match="2 rows have no user, item or time"):
        Yambda(min_played=-1).read({"listens.parquet": parquet(**holes)})
    with pytest.raises(UserError, match="size is 50m or 500m"):
        Yambda(size="5b")  # type: ignore[arg-type]


def test_its_files_are_on_the_hub_alone() -> None:
    (file,) = Yambda(size="500m", events="dislikes").files()
    assert file.hub is not None and (file.hub.repo, file.hub.path) == ("yandex/yambda", "flat/500m/dislikes.parquet")
    assert file.urls == () and file.name == "dislikes.parquet"
    assert Yambda(size="500m", events="dislikes").name == "yambda-500m-dislikes" and Yambda().name == "yambda"
