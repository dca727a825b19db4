"""Users with several held-out items: table values are means over queries, tests pair users, slices part queries."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as parquet
import pytest
from scipy import stats

from research.errors import UserError
from research.metrics.ranking import metric
from research.reports.claimed import judged_claims
from research.reports.markdown import markdown_table
from research.reports.page import page
from research.reports.records import read_study
from research.reports.rows import rows
from research.reports.slice_tables import slice_tables
from research.reports.slices import rows_by_history_length
from research.reports.tested import Asked, judged, pair_of
from research.statistics.claims import Claim

USERS = [0, 0, 1, 2, 2, 2]
LENGTHS = [3, 30, 4, 5, 6, 7]


@pytest.fixture
def small_queries(make_study):
    """Recall@10 by hand: gated 3/6 and 4/6 -> .5833 ± .1179, long_only 1/6 twice; popularity 0."""
    study = make_study(claims=["transformer + gru | gated > transformer + gru | long_only on recall@10"])
    study.run("gated", 1, [0, 0, 50, 0, 50, 50], users=USERS, lengths=LENGTHS)
    study.run("gated", 2, [0, 0, 50, 0, 0, 50], users=USERS, lengths=LENGTHS)
    for seed in (1, 2):
        study.run("long_only", seed, [50, 0, 50, 50, 50, 50], users=USERS, lengths=LENGTHS)
    study.run("", 1, [50] * 6, users=USERS, lengths=LENGTHS, kind="baseline", label="popularity", cell="popularity")
    return study


def test_the_table_is_the_mean_over_queries(small_queries):
    records = read_study(small_queries.path)
    made = {row.cell: row for row in rows(records)}
    value = made["gated"].values["recall@10"]
    assert (value.mean, value.std) == pytest.approx((3.5 / 6, np.std([0.5, 4 / 6], ddof=1)))
    assert made["long_only"].values["recall@10"].mean == pytest.approx(1 / 6)
    text = markdown_table(list(made.values()), records)
    assert "Mean over test queries, then over seeds" in text
    assert "Test users: 3, 6 queries." in text
    assert "a test pairs users, each with the sum over the user's queries" in text
    assert "queries of 3 users" not in text


def test_one_query_a_user_says_users(small):
    text = markdown_table(rows(read_study(small.path)), read_study(small.path))
    assert "Mean over users, then over seeds" in text and "Test users: 4." in text and "quer" not in text


def test_a_user_is_one_pair_and_the_difference_is_that_of_the_table(small_queries):
    records = read_study(small_queries.path)
    made = rows(records)
    sides = [tuple(run for run in records.finished if run.cell == cell) for cell in ("gated", "long_only")]
    pair = pair_of(Asked(Claim("gated", "long_only", "recall@10", ""), *sides))
    assert pair is not None and pair.users == 3
    # Sums over queries, mean of seeds: gated 2, 0, 1.5; long_only 1, 0, 0. Times 3 users over 6 queries.
    assert pair.difference_U.tolist() == [0.5, 0.0, 0.75]
    gap = 3.5 / 6 - 1 / 6
    (row,) = [row for row in made if row.cell == "gated"]
    assert row.against["recall@10"].difference == pytest.approx(gap)
    (claim,) = judged_claims(records, made)
    assert claim.verdict is not None
    assert claim.verdict.difference == pytest.approx(gap)


def test_deterministic_arms_by_scipy(make_study):
    """Twelve users of one to three queries; SciPy's tests of the users' sums."""
    study = make_study(seeds=[1], baseline=None)
    rng = np.random.default_rng(3)
    users = np.repeat(np.arange(12), [1, 2, 3] * 4).tolist()
    better = {name: rng.integers(0, 15, size=len(users)).tolist() for name in "ab"}
    study.run("gated", 1, [0] * len(users), users=users)
    for name, counts in better.items():
        study.run("", 1, counts, users=users, kind="baseline", label=name, cell=name)
    records = read_study(study.path)
    sides = [tuple(run for run in records.finished if run.cell == name) for name in "ab"]
    (verdict,) = judged(records, [Asked(Claim("a", "b", "ndcg@10", "a > b on ndcg@10"), *sides)])
    of_query = {name: metric("ndcg@10", np.array(better[name]), np.zeros(len(users), dtype=int)) for name in "ab"}
    first, second = (
        np.array([sum(v for v, user in zip(of_query[name], users, strict=True) if user == u) for u in range(12)])
        for name in "ab"
    )
    flips = stats.permutation_test(
        (first - second,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    ).pvalue
    assert verdict is not None
    assert verdict.p == pytest.approx(max(stats.ttest_rel(first, second).pvalue, flips), rel=1e-9)


def test_a_slice_takes_the_queries_that_belong_there(small_queries):
    records = read_study(small_queries.path)
    buckets = rows_by_history_length(records, ["recall@10"])
    # User 0 is in two buckets; user 2 has one query of length 5 and two above.
    assert [(b.name, b.counted) for b in buckets] == [
        ("≤5", "3 queries of 3 users"),
        ("6–10", "2 queries of 1 user"),
        ("21–50", "1 query of 1 user"),
    ]
    gated = [next(row for row in bucket.rows if row.cell == "gated") for bucket in buckets]
    assert [row.values["recall@10"].per_seed for row in gated] == [(2 / 3, 2 / 3), (0.0, 0.5), (1.0, 1.0)]
    text = slice_tables(records, "recall@10")
    assert "≤5 (3 queries of 3 users)" in text
    assert "the baseline arm among the queries of the bucket" in text
    shown = page(records)
    assert "≤5 (3 queries of 3 users)" in shown and "below each bucket its test queries" in shown


def test_arms_that_asked_a_user_more_often_are_not_compared(make_study):
    study = make_study(seeds=[1, 2])
    for seed in (1, 2):
        study.run("gated", seed, [0, 1, 2, 3], users=[0, 0, 1, 2])
        study.run("long_only", seed, [0, 1, 2, 3], users=[0, 1, 1, 2])
    records = read_study(study.path)
    made = rows(records)
    assert all(row.against == {} for row in made)
    assert "Warning: the runs do not all rank the same users" in markdown_table(made, records)


def test_ranks_that_stand_twice_are_refused(small):
    path = small.run("long_only", 3, [0, 1, 2, 3], data={"name": "toy", "digest": "d", "audit": {"test_queries": 4}})
    read_study(small.path)
    table = parquet.read_table(path / "ranks.parquet")
    parquet.write_table(table.take([0, 1, 2, 3, 0]), path / "ranks.parquet")
    with pytest.raises(UserError, match=r"says 4 test queries, but ranks.parquet beside it has 5 rows"):
        read_study(small.path)
