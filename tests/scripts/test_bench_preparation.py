"""The measurement of preparation: the drawn files have the sizes they claim, the table says what was promised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from research.data.prepare import prepare
from research.data.sources.movielens import MovieLens
from research.data.sources.taobao import Taobao
from scripts.bench import large
from scripts.bench.large import SHAPES
from scripts.bench.preparation import GIB, peak, table


@pytest.mark.parametrize(("name", "source"), [("20m", MovieLens(size="20m")), ("100m", Taobao())])
def test_a_drawn_file_has_its_users_items_and_rows_and_is_read_as_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: MovieLens | Taobao
) -> None:
    monkeypatch.setattr(large, "_BLOCK", 1_000)
    shape = replace(SHAPES[name], users=70, items=300, rows=5_003)
    raw = tmp_path / "raw" / shape.source
    raw.mkdir(parents=True)
    shape.write(raw / shape.file)
    h = prepare(source, cache=tmp_path)
    assert (h.n_users, h.n_items, len(h.items)) == (70, 300, 5_003)
    assert h.lengths.min() >= 20 and len(np.unique(h.lengths)) > 20
    first = (raw / shape.file).read_bytes()
    shape.write(raw / shape.file)
    assert (raw / shape.file).read_bytes() == first, "drawn from a seed"


def row(**changes: object) -> dict:
    return {
        "users": 1, "items": 2, "rows": 3, "seconds": 12.34, "cpu_s": 20.0, "peak_bytes": GIB, "limit_bytes": None,
        **changes,
    }  # fmt: skip


def test_promises_are_said_to_be_kept_or_missed() -> None:
    found = {"20m": [row()], "100m": [row(seconds=900.0, peak_bytes=7 * GIB, limit_bytes=8 * GIB)]}
    one, two = table(found).splitlines()[-2:]
    assert one == "| ml-20m, ratings.csv | 3 | 1 | 2 | 12.3 | 20.0 | 1.07 | none | 60 s, 4 GiB: kept |"
    assert two.endswith("| 8 GiB | 8 GiB: kept |")
    assert "60 s, 4 GiB: missed" in table({"20m": [row(seconds=61.0)]})
    assert "60 s, 4 GiB: missed" in table({"20m": [row(peak_bytes=4 * GIB)]})


def test_the_peers_stand_beside_the_framework_by_their_medians() -> None:
    small = [
        {"who": who, "round": number, "seconds": seconds, "peak_bytes": 2e8, "rows": 10, **ready}
        for who, times, ready in (("framework", (1, 9, 2), {}), ("rectools", (6, 5, 7), {"ready": "frames"}))
        for number, seconds in enumerate(times)
    ]
    text = table({"1m": small})
    assert "MovieLens 1M, 10 rows, the same tab-separated file; median of 3." in text
    assert "| rectools | 6.00 | 3.0 | 200 | frames |" in text


def test_the_peak_is_that_of_this_process() -> None:
    before = peak()
    held = np.ones(40_000_000, dtype=np.int8) * (1 if before else 2)
    assert peak() >= before > 10_000_000 and held[0]
