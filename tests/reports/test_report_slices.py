"""Rows by history length against counts worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from research.reports.records import read_study
from research.reports.slice_tables import slice_tables
from research.reports.slices import rows_by, rows_by_history_length, sliced, slicings


def test_buckets_users_and_values(small):
    buckets = rows_by_history_length(read_study(small.path), ["recall@10"])
    # Lengths 3, 5 | 6 | 60: the buckets 11-20 and 21-50 are empty and left out.
    assert [(bucket.name, bucket.users) for bucket in buckets] == [("≤5", 2), ("6–10", 1), (">50", 1)]
    by_bucket = [{row.cell: row for row in bucket.rows} for bucket in buckets]
    assert [rows["gated"].values["recall@10"].mean for rows in by_bucket] == [1.0, 1.0, 0.5]
    assert [rows["long_only"].values["recall@10"].mean for rows in by_bucket] == [1.0, 0.0, 0.0]
    assert [rows["popularity"].values["recall@10"].mean for rows in by_bucket] == [0.5, 0.0, 0.0]
    weights = [rows["gated"].branch_weight for rows in by_bucket]
    assert [weight.mean for weight in weights if weight] == pytest.approx([0.25, 0.55, 0.75])


def test_bucket_ends(make_study):
    study = make_study(seeds=[1])
    lengths = [0, 5, 6, 10, 11, 20, 21, 50, 51, 1000]
    study.run("gated", 1, [0] * len(lengths), lengths=lengths)
    buckets = rows_by_history_length(read_study(study.path))
    assert [(bucket.name, bucket.users) for bucket in buckets] == [
        ("≤5", 2),
        ("6–10", 2),
        ("11–20", 2),
        ("21–50", 2),
        (">50", 2),
    ]


def test_the_records_own_value_is_not_asked_of_a_slice(small):
    # recall@10 of a slice differs from the recorded one of all users; that is no contradiction.
    assert rows_by_history_length(read_study(small.path), ["recall@10"])


FACTS = {
    "popularity": pa.array([0.0, 0.19, 0.2, 0.9], pa.float32()),
    "repeat": pa.array([True, False, False, False]),
    "gap": pa.array([60.0, 3600.0, 3601.0, None], pa.float64()),
    "scenario": pa.array(["home", "search", "home", "home"]),
    "cold": pa.array([False, False, False, False]),
}


def state(study: Any, columns: Mapping[str, pa.Array]) -> None:
    """Add columns to the ranks of every run."""
    for path in study.path.glob("*/seed-*/ranks.parquet"):
        table = parquet.read_table(path)
        for name, values in columns.items():
            table = table.append_column(name, values)
        parquet.write_table(table, path)


def test_every_slicing_that_the_records_allow(small):
    state(small, FACTS)
    found = sliced(read_study(small.path), ["recall@10"])
    users = {slicing.name: [(bucket.name, bucket.users) for bucket in buckets] for slicing, buckets in found}
    assert users == {
        "slices": [("≤5", 2), ("6–10", 1), (">50", 1)],
        "popularity": [("head", 2), ("tail", 2)],
        "repeats": [("repeated", 1), ("new", 3)],
        "gaps": [("≤1 hour", 2), ("≤1 day", 1)],  # the user without an earlier interaction is in none
        "scenarios": [("home", 3), ("search", 1)],
    }  # nobody is cold, so that parts nothing
    tail = {row.cell: row.values["recall@10"].mean for row in found[1][1][1].rows}
    # Users 2 and 3: gated hits one and two of them, long_only and popularity none.
    assert tail == {"gated": 0.75, "long_only": 0.0, "popularity": 0.0}


def test_a_fact_that_one_run_lacks_is_no_slicing(small):
    state(small, FACTS)
    path = small.path / "gated" / "seed-1" / "ranks.parquet"
    parquet.write_table(parquet.read_table(path).drop_columns(["repeat"]), path)
    assert "repeats" not in [slicing.name for slicing in slicings(read_study(small.path))]


def test_rare_scenarios_share_a_bucket(make_study):
    study = make_study(seeds=[1])
    words = [f"s{number}" for number in range(10) for _ in range(10 - number)]
    study.run("gated", 1, [0] * len(words))
    state(study, {"scenario": pa.array(words)})
    (found,) = [slicing for slicing in slicings(read_study(study.path)) if slicing.name == "scenarios"]
    assert [name for name, _ in found.buckets] == ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "3 others"]
    buckets = rows_by(read_study(study.path), found, ["recall@10"])
    assert [bucket.users for bucket in buckets] == [10, 9, 8, 7, 6, 5, 4, 3 + 2 + 1]


def test_all_buckets_of_a_slicing_are_one_family(make_study):
    study = make_study(seeds=[1, 2])
    lengths = [3] * 20 + [30] * 20
    for seed in (1, 2):
        study.run("gated", seed, [0] * 20 + [50] * 20, lengths=lengths)
        study.run("long_only", seed, [50] * 20 + [50, *[0] * 19], lengths=lengths)
    short, long = rows_by(read_study(study.path), slicings(read_study(study.path))[0], ["recall@10"])
    said = [{row.cell: row for row in bucket.rows}["gated"] for bucket in (short, long)]
    assert [row.side("recall@10") for row in said] == [1, -1]
    # 20 users differ alike: 2 of 2^20 sign patterns are as far; 19 of 20: as many of 2^19. Two tests, Holm.
    assert said[0].against["recall@10"].p_adjusted == pytest.approx(2 * 2 / 2**20)
    assert said[1].against["recall@10"].p_adjusted == pytest.approx(2 / 2**19)


def test_tables_of_slices(make_study):
    study = make_study(seeds=[1, 2])
    for seed in (1, 2):
        study.run("gated", seed, [0] * 20 + [50] * 20, lengths=[3] * 20 + [30] * 20)
        study.run("long_only", seed, [50] * 40, lengths=[3] * 20 + [30] * 20)
    text = slice_tables(read_study(study.path), "recall@10")
    assert "**Recall@10 by length of the user's history**" in text
    head, _, gated, _ = [line for line in text.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in head.strip("|").split("|")] == ["Arm", "≤5 (20 users)", "21–50 (20 users)"]
    assert [cell.strip() for cell in gated.split("|")[-3:-1]] == ["**1.0000**† ± .0000", "**.0000** ± .0000"]
    assert "Holm over 2 comparisons, level .05, all buckets together" in text
    assert text == slice_tables(read_study(study.path), "recall@10")
