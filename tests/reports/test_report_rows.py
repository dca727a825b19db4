"""The row model against numbers worked out by hand."""

from __future__ import annotations

import json
import math

import pytest

from research.errors import UserError
from research.reports.rows import baseline_of, read_study, rows


def test_means_and_sample_std_over_seeds(small):
    popularity, gated, long_only = rows(read_study(small.path))
    assert gated.values["recall@10"].mean == pytest.approx(0.875)
    # Two values: the sample std is their distance over the square root of two.
    assert gated.values["recall@10"].std == pytest.approx(0.25 / math.sqrt(2))
    assert gated.values["recall@10"].per_seed == pytest.approx((0.75, 1.0))
    assert gated.values["ndcg@10"].mean == pytest.approx((0.625 + 0.75) / 2)
    assert long_only.values["ndcg@10"].mean == pytest.approx(0.375)
    assert long_only.values["ndcg@10"].std == 0.0
    assert popularity.values["ndcg@10"].mean == pytest.approx(1 / math.log2(3) / 4)
    assert popularity.values["ndcg@10"].std is None


def test_other_columns(small):
    _, gated, long_only = rows(read_study(small.path))
    assert (gated.parameters, gated.seconds, gated.epochs) == (1200, 15.0, 5.5)
    assert gated.branch_weight is not None
    assert gated.branch_weight.mean == pytest.approx((0.5 + 0.4) / 2)
    assert long_only.branch_weight is None
    assert (gated.reference, long_only.reference) == (False, True)
    assert gated.seeds == (1, 2)


def test_another_cutoff_needs_no_new_run(small):
    _, gated, _ = rows(read_study(small.path), ["recall@1", "mrr@5"])
    assert gated.values["recall@1"].mean == pytest.approx(0.5)
    assert gated.values["mrr@5"].mean == pytest.approx(((1 + 1 + 1 / 3) / 4 + (1 + 1 + 2 / 3) / 4) / 2)


def test_ties_count_by_expectation(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [9, 0], ties=[4, 0])
    # Places 10 to 14 are equally likely: one of five is within the first ten.
    assert rows(read_study(study.path))[0].values["recall@10"].mean == pytest.approx((0.2 + 1) / 2)


def test_order_follows_the_axes_with_untrained_rows_first(make_study):
    axes = {"fusion": ["weighted", "attention", "gated"]}
    study = make_study(axes=axes, seeds=[1])
    for fusion in ("gated", "unlisted", "attention", "weighted"):
        study.run(fusion, 1, [0])
    for name in ("EASE", "zebra", "popularity"):
        study.run("", 0, [0], kind="baseline", label=name, cell=f"baseline-{name}")
    names = [row.label.removeprefix("transformer + gru | ") for row in rows(read_study(study.path))]
    assert names == ["popularity", "EASE", "zebra", "weighted", "attention", "gated", "unlisted"]


def test_marks_are_given_to_trained_arms_only(make_study):
    study = make_study(axes={"fusion": ["sum", "gated", "concat", "long_only"]}, seeds=[1])
    study.run("sum", 1, [0, 99])
    study.run("gated", 1, [0, 0])
    study.run("concat", 1, [99, 0])
    study.run("long_only", 1, [99, 99])
    study.run("", 0, [0, 0], kind="baseline", label="EASE", cell="ease")
    marks = {row.label.split()[-1]: row.marks.get("recall@10") for row in rows(read_study(study.path))}
    assert marks == {"EASE": None, "sum": "second", "gated": "best", "concat": "second", "long_only": None}


def test_a_lone_arm_has_no_mark(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0])
    assert rows(read_study(study.path))[0].marks == {}


def test_missing_and_failed_seeds(make_study):
    study = make_study(seeds=[1, 2, 3])
    study.run("gated", 1, [0])
    study.fail("gated", 3, "out of memory")
    study.fail("long_only", 1, "the loss became NaN")
    gated, long_only = rows(read_study(study.path))
    assert (len(gated.seeds), gated.planned) == (1, 3)
    assert [(failure.seed, failure.reason) for failure in gated.failed] == [(3, "out of memory")]
    assert long_only.values == {}
    assert (long_only.seeds, long_only.marks) == ((), {})


def test_a_run_without_record_has_not_ended(make_study):
    study = make_study(seeds=[1, 2])
    study.run("gated", 1, [0])
    (study.path / "gated" / "seed-2").mkdir()
    assert rows(read_study(study.path))[0].seeds == (1,)


def test_arms_on_different_data_do_not_compete(make_study):
    study = make_study(axes={"data": ["b", "a"], "fusion": ["gated", "sum"]}, seeds=[1])
    for data, fusion, better in (("a", "gated", 0), ("a", "sum", 50), ("b", "gated", 2), ("b", "sum", 50)):
        arm = {"data": data, "fusion": fusion}
        study.run(fusion, 1, [better], cell=f"{data}-{fusion}", arm=arm, data={"name": data, "digest": data})
    made = rows(read_study(study.path))
    assert [(row.group, row.arm["fusion"]) for row in made] == [
        ("b", "gated"),
        ("b", "sum"),
        ("a", "gated"),
        ("a", "sum"),
    ]
    assert [row.marks["ndcg@10"] for row in made] == ["best", "second", "best", "second"]


def test_each_arm_has_its_own_baseline(make_study):
    study = make_study(axes={"k": [5, 10], "fusion": ["gated", "long_only"]}, seeds=[1])
    for k in ("5", "10"):
        for fusion in ("gated", "long_only"):
            study.run(fusion, 1, [0], cell=f"{k}-{fusion}", arm={"k": k, "fusion": fusion})
    records = read_study(study.path)
    made = rows(records)
    found = [baseline_of(row, made, records.baseline) for row in made]
    assert [row and row.cell for row in found] == [
        "5-long_only",
        "5-long_only",
        "10-long_only",
        "10-long_only",
    ]
    assert baseline_of(made[0], made, {}) is None


def test_disagreement_with_the_record_is_an_error(small):
    path = small.path / "gated" / "seed-1" / "record.json"
    record = json.loads(path.read_text())
    record["test"]["ndcg@10"] = 0.625 + 1e-4
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"gated/seed-1.*ndcg@10 = 0.6251"):
        rows(read_study(small.path))


def test_rounding_in_the_record_is_no_disagreement(small):
    path = small.path / "gated" / "seed-1" / "record.json"
    record = json.loads(path.read_text())
    record["test"]["ndcg@10"] = 0.625 + 1e-8
    path.write_text(json.dumps(record))
    assert len(rows(read_study(small.path))) == 3


def test_no_model_finished(make_study):
    study = make_study()
    study.run("", 0, [0], kind="baseline", label="popularity", cell="popularity")
    with pytest.raises(UserError, match=r"no model run of study 'tiny' has finished.*research study tiny"):
        rows(read_study(study.path))
    study.fail("gated", 1, "disk full")
    with pytest.raises(UserError, match=r"1 failed.*gated, seed 1.*disk full"):
        rows(read_study(study.path))


def test_unknown_metric(small):
    with pytest.raises(UserError, match="Unknown metric 'auc@10'"):
        rows(read_study(small.path), ["auc@10"])
