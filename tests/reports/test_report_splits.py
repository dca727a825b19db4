"""Protocols that hold out several items a user, from a run to table, page and slices: tiny studies, simulated data."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
import yaml

from research.config import compose
from research.reports.markdown import markdown_table
from research.reports.page import page
from research.reports.records import StudyRecords, read_study
from research.reports.rows import rows
from research.reports.slices import sliced
from research.training.run import run

TINY = [
    *("data=simulated", "data.n_users=40", "data.n_items=60", "data.mean_length=20", "width=8", "max_length=10"),
    *("batch_size=16", "trainer.max_epochs=1", "trainer.threads=1", "trainer.accelerator=cpu", "logger=none"),
]
SPLITS = {
    "session_wise": ["split=session_wise", "split.column=session"],
    "leave_last_k": ["split=leave_last_k", "split.k=3"],
    "ratio": ["split=ratio"],
    "successive": ["split=global_temporal", "split.target=successive"],
    # Few users have interactions on both sides of a moment.
    "all": ["split=global_temporal", "split.target=all", "data.n_users=400", "batch_size=64"],
}


@pytest.fixture(scope="module", params=SPLITS)
def records(request, tmp_path_factory) -> StudyRecords:
    """Two arms, two seeds and popularity under one split."""
    root = tmp_path_factory.mktemp(request.param)
    words = [*TINY, *SPLITS[request.param], f"paths.runs={root}", f"paths.cache={root / 'cache'}"]
    for fusion in ("long_only", "gated"):
        for seed in (1, 2):
            run(compose([*words, f"fusion={fusion}", f"seed={seed}"]), study="tiny", arm={"fusion": fusion})
    run(compose([*words, "baseline=popularity", "seed=1"]), study="tiny")
    study = {
        "name": "tiny",
        "question": "Does it run?",
        "axes": {"fusion": ["long_only", "gated"]},
        "seeds": [1, 2],
        "metrics": ["recall@5", "ndcg@10"],
        "baseline": {"fusion": "long_only"},
        "baselines": ["popularity"],
        "claims": ["gated > long_only on ndcg@10"],
    }
    (root / "tiny" / "study.yaml").write_text(yaml.safe_dump(study))
    return read_study(root / "tiny")


def ndcg(better: int, ties: int) -> float:
    """Expected over a random order of the equals."""
    places = range(better + 1, better + ties + 2)
    return sum(1 / math.log2(place + 1) for place in places if place <= 10) / len(places)


def stored(directory: Path) -> list[dict]:
    return parquet.read_table(directory / "ranks.parquet").to_pylist()


def test_the_table_says_what_a_plain_loop_finds(records: StudyRecords) -> None:
    made = {row.arm.get("fusion", row.label): row for row in rows(records)}
    assert list(made) == ["popularity", "long_only", "gated"]
    for fusion in ("long_only", "gated"):
        runs = [run for run in records.finished if run.arm.get("fusion") == fusion]
        for run_, value in zip(runs, made[fusion].values["ndcg@10"].per_seed, strict=True):
            queries = stored(run_.directory)
            users = {query["user"] for query in queries}
            assert len(users) < len(queries)
            assert run_.record["protocol"]["users"] == len(users)
            mean = sum(ndcg(query["better"], query["ties"]) for query in queries) / len(queries)
            assert value == pytest.approx(mean, abs=1e-9)
            assert run_.record["test"]["ndcg@10"] == pytest.approx(mean, abs=1e-6)
    verdict = made["gated"].against["ndcg@10"]
    gap = made["gated"].values["ndcg@10"].mean - made["long_only"].values["ndcg@10"].mean
    assert verdict.difference == pytest.approx(gap, abs=1e-9)
    assert verdict.seed_noise_known and 0 < verdict.p <= 1


def test_slices_part_the_queries(records: StudyRecords) -> None:
    queries = stored(records.finished[0].directory)
    found = {slicing.name: buckets for slicing, buckets in sliced(records, ["ndcg@10"])}
    assert {"slices", "popularity"} <= found.keys()
    for name, buckets in found.items():
        counted = sum(bucket.queries or 0 for bucket in buckets)
        known = [query for query in queries if name != "gaps" or query["gap"] is not None]
        assert counted == len(known), name
        for bucket in buckets:
            assert bucket.queries is not None and bucket.users <= bucket.queries
    head = next(bucket for bucket in found["popularity"] if bucket.name == "head")
    inside = [query for query in queries if query["popularity"] < 0.2]
    assert (head.queries, head.users) == (len(inside), len({query["user"] for query in inside}))


def test_every_page_of_it(records: StudyRecords) -> None:
    queries = stored(records.finished[0].directory)
    users = len({query["user"] for query in queries})
    text = markdown_table(rows(records), records)
    assert f"Test users: {users}, {len(queries)} queries." in text
    assert "**Claims**" in text
    shown = page(records)
    assert f"Test users: {users}, {len(queries)} queries." in shown
    assert " queries of " in shown
    assert "Head and tail" in shown
