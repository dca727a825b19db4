"""Rows by history length against counts worked out by hand."""

from __future__ import annotations

import pytest

from research.reports.records import read_study
from research.reports.slices import rows_by_history_length


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
