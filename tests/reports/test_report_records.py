"""Reading a study directory: what is refused, and with which words."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from research.errors import UserError
from research.reports.groups import groups
from research.reports.ranks import read_curves, read_ranks
from research.reports.records import read_study


def change(path, **fields):
    record = json.loads(path.read_text())
    record.update(fields)
    path.write_text(json.dumps({key: value for key, value in record.items() if value is not None}))


def test_study_file(make_study):
    study = make_study(axes={"on": [True, False], "k": [5], "gap": [None]}, baseline={"on": True}, surprise=1)
    records = read_study(study.path)
    assert records.axes == {"on": ("true", "false"), "k": ("5",), "gap": ("null",)}
    assert records.baseline == {"on": "true"}
    assert (records.seeds, records.metrics) == ((1, 2), ("recall@10", "ndcg@10"))
    assert records.runs == ()


def test_no_study_names_those_there(small):
    with pytest.raises(UserError, match=r"no study in .*absent.*studies there: tiny"):
        read_study(small.path.parent / "absent")


@pytest.mark.parametrize("text", ["axes: [1", "axes: 3", "seeds: [one]", "- a list"])
def test_broken_study_file(small, text):
    (small.path / "study.yaml").write_text(text)
    with pytest.raises(UserError, match=r"study\.yaml"):
        read_study(small.path)


@pytest.mark.parametrize("text", ["{", "", "[]", '"text"', "\x00"])
def test_corrupt_record_is_named(small, text):
    path = small.path / "gated" / "seed-1" / "record.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"gated/seed-1/record\.json"):
        read_study(small.path)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"schema": 2}, "schema 2; this version reads schema 1"),
        ({"status": "running"}, "should be finished or failed"),
        ({"kind": "oracle"}, "should be model or baseline"),
        ({"label": None}, "lacks label"),
        ({"protocol": None, "test": None}, "lacks test, protocol"),
        ({"seed": "1"}, "seed should be a whole number"),
    ],
)
def test_refused_records(small, fields, words):
    path = small.path / "gated" / "seed-1" / "record.json"
    change(path, **fields)
    with pytest.raises(UserError, match=f"seed-1/record.json.*{words}"):
        read_study(small.path)


def test_the_same_run_twice(small):
    shutil.copytree(small.path / "gated" / "seed-1", small.path / "gated" / "seed-1-copy")
    with pytest.raises(UserError, match="both record 'gated', seed 1"):
        read_study(small.path)


def test_failed_record_needs_no_results(make_study):
    study = make_study()
    study.fail("gated", 1, "")
    (run,) = read_study(study.path).failed
    assert (run.reason, run.ranks) == ("no reason was recorded", None)


def test_missing_and_broken_ranks(small):
    path = small.path / "gated" / "seed-1" / "ranks.parquet"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UserError, match=r"ranks\.parquet is not a readable Parquet file"):
        read_study(small.path)
    path.unlink()
    with pytest.raises(UserError, match=r"ranks\.parquet is missing"):
        read_study(small.path)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"user": [], "better": [], "ties": [], "history_length": []}, "no test user"),
        ({"user": [1, 2], "better": [0, -1], "ties": [0, 0], "history_length": [1, 1]}, "negative count"),
        (
            {"user": [1, 2], "better": [0, None], "ties": [0, 0], "history_length": [1, 1]},
            "missing or negative",
        ),
        ({"user": [1], "better": [0], "history_length": [1]}, "lacks the columns ties"),
    ],
)
def test_impossible_ranks(tmp_path, columns, words):
    path = tmp_path / "ranks.parquet"
    parquet.write_table(pa.table({name: pa.array(values, pa.int32()) for name, values in columns.items()}), path)
    with pytest.raises(UserError, match=words):
        read_ranks(path)


def test_weights_of_some_users(tmp_path):
    path = tmp_path / "ranks.parquet"
    counts = {name: pa.array([0, 1], pa.int32()) for name in ("user", "better", "ties", "history_length")}
    parquet.write_table(pa.table({**counts, "weight_long": pa.array([None, 0.5], pa.float32())}), path)
    weight_N = read_ranks(path).weight_long_N
    assert weight_N is not None
    assert str(weight_N.tolist()) == "[nan, 0.5]"


def test_curves_have_the_seconds_since_the_start(tmp_path):
    columns = {"epoch": [1, 2, 3], "seconds": [2.0, 3.0, 1.5], "val_ndcg@10": [0.1, 0.3, 0.2]}  # seconds of each epoch
    parquet.write_table(pa.table(columns), tmp_path / "curves.parquet")
    found = read_curves(tmp_path / "curves.parquet")
    assert found is not None
    assert found.seconds_E.tolist() == [2.0, 5.0, 6.5] and found.epoch_E.tolist() == [1, 2, 3]


def test_curves(tmp_path):
    assert read_curves(tmp_path / "curves.parquet") is None
    (tmp_path / "curves.parquet").write_bytes(b"no")
    with pytest.raises(UserError, match=r"curves.parquet is not a readable"):
        read_curves(tmp_path / "curves.parquet")


def test_two_data_sets_of_one_name_are_two_groups(make_study):
    """Their users have nothing in common, so nothing may be paired over them."""
    study = make_study(seeds=[1], axes={"data": ["few", "many"], "fusion": ["gated"]})
    for data, digest in (("few", "a" * 64), ("many", "b" * 64)):
        said = {"name": "simulated", "digest": digest, "audit": {}}
        study.run("gated", 1, [0], cell=f"{data}-gated", arm={"data": data, "fusion": "gated"}, data=said)
    change(study.fail("sum", 1, "no reason") / "record.json", arm={"data": "many", "fusion": "sum"})
    found = groups(read_study(study.path))
    assert found["few-gated"] == f"simulated ({'a' * 12})" and found["many-gated"] == f"simulated ({'b' * 12})"
    assert found["sum"] == found["many-gated"], "what failed stands with its data"
