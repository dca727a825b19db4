"""A study file becomes a grid, the grid becomes records, and nothing that is finished is done again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from research.errors import UserError
from research.studies.choice import Choice, read_choice
from research.studies.executors import local
from research.studies.executors.local import Local
from research.studies.plan import plan
from research.studies.run_study import prepare_study, run_missing
from research.studies.study import read_study_file
from research.studies.worker import Message, Order
from tests.studies.here import Here

SET = [
    "data=simulated",
    "data.n_users=40",
    "data.n_items=30",
    "data.mean_length=10",
    "width=8",
    "max_length=10",
    "batch_size=16",
    "trainer.max_epochs=1",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
]


def write(path: Path, **changes: object) -> str:
    content = {
        "question": "Does it run?",
        "set": SET,
        "axes": {"fusion": ["long_only", "gated"]},
        "baselines": ["popularity"],
        "seeds": [1, 2],
        "metrics": ["ndcg@10"],
        "baseline": {"fusion": "long_only"},
        **changes,
    }
    path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False))
    return str(path)


@pytest.fixture
def overrides(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [f"paths.runs={tmp_path / 'runs'}", f"paths.cache={tmp_path / 'cache'}"]


def results(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("ranks.parquet")}


def test_the_grid_is_the_product_with_seeds_outermost(tmp_path, overrides):
    study = read_study_file(
        write(tmp_path / "s.yaml", axes={"fusion": ["sum", "gated"], "window.k": [2, 3]}, baseline={})
    )
    runs = plan(study, overrides)
    assert [(r.label, r.config.seed) for r in runs] == [
        ("popularity", 1),
        ("sum, 2", 1),
        ("sum, 3", 1),
        ("gated, 2", 1),
        ("gated, 3", 1),
        ("sum, 2", 2),
        ("sum, 3", 2),
        ("gated, 2", 2),
        ("gated, 3", 2),
    ]
    assert [r.config.window.k for r in runs[1:5]] == [2, 3, 2, 3]


def test_ranges_and_excluded_points(tmp_path, overrides):
    axes = {"fusion": ["sum", "gated"], "window.k": {"from": 2, "to": 8, "times": 2}}
    exclude = [{"fusion": "gated", "window.k": [4, 8]}, {"arm": "wide", "fusion": "gated"}]
    said = {"arms": {"narrow": ["width=4"], "wide": []}, "axes": axes, "exclude": exclude, "seeds": [1]}
    study = read_study_file(write(tmp_path / "s.yaml", **said, baselines=[], baseline={"fusion": "sum"}, set=SET[:4]))
    runs = plan(study, overrides)
    assert [r.label for r in runs] == [
        "narrow, sum, 2",
        "narrow, sum, 4",
        "narrow, sum, 8",
        "narrow, gated, 2",
        "wide, sum, 2",
        "wide, sum, 4",
        "wide, sum, 8",
    ]
    assert [(r.config.width, r.config.window.k) for r in runs[3:5]] == [(4, 2), (runs[-1].config.width, 2)]
    assert [r.number for r in runs] == list(range(7))


def test_an_arm_that_ignores_an_axis_runs_once(tmp_path, overrides):
    axes = {"fusion": ["long_only", "gated"], "encoder@short": ["gru", "lstm"]}
    runs = plan(read_study_file(write(tmp_path / "s.yaml", axes=axes, seeds=[1], baselines=[])), overrides)
    assert [r.label for r in runs] == ["long_only", "gated, gru", "gated, lstm"]


def test_named_values_stand_for_several_words(tmp_path, overrides):
    axes = {
        "data": {"few": ["data.n_users=20", "width=4"], "many": ["data.n_users=50"]},
        "fusion": ["long_only", "sum"],
    }
    study = read_study_file(
        write(tmp_path / "s.yaml", axes=axes, seeds=[1], exclude=[{"data": "few", "fusion": "sum"}])
    )
    runs = plan(study, overrides)
    assert [(r.label, r.config.data.n_users, r.config.width) for r in runs] == [
        ("popularity", 20, 4),  # once for each data set
        ("popularity", 50, 8),
        ("few, long_only", 20, 4),
        ("many, long_only", 50, 8),
        ("many, sum", 50, 8),
    ]
    assert [
        r.label for r in runs if read_choice(study, runs, shard=None, only=["few"], retry_failed=False).takes(r)
    ] == ["few, long_only"]
    prepare_study(study, overrides)
    said = yaml.safe_load((tmp_path / "runs" / "s" / "study.yaml").read_text())
    assert said["axes"]["data"] == ["few", "many"] and said["bundles"] == {"data": axes["data"]}


def test_rows_without_training_stand_under_each_protocol_once(tmp_path, overrides):
    axes = {"fusion": ["long_only", "sum"], "split": ["leave_one_out", "ratio"], "evaluation": [None, "repeats"]}
    said = write(tmp_path / "s.yaml", axes=axes, seeds=[1, 2], baselines=["popularity", "ease"])
    runs = [run for run in plan(read_study_file(said), overrides) if run.config.get("baseline")]
    found = [(r.label, r.config.split._target_.rpartition(".")[2], bool(r.config.get("evaluation"))) for r in runs]
    assert found == [
        (name, split, repeats)
        for split in ("LeaveOneOut", "Ratio")
        for repeats in (False, True)
        for name in ("popularity", "ease")
    ]


def test_an_arm_without_training_has_one_seed(tmp_path, overrides):
    arms = {"usual": [], "by_titles": ["baseline=ease"]}
    study = read_study_file(write(tmp_path / "s.yaml", axes=None, arms=arms, seeds=[3, 4], baseline={"arm": "usual"}))
    found = [(run.label, run.config.seed) for run in plan(study, overrides)]
    assert found == [("popularity", 3), ("usual", 3), ("by_titles", 3), ("usual", 4)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"axes": {"data": {"few": "data.n_users=9"}}}, "axis 'data': 'few' should be a list of overrides"),
        ({"axes": {"data": {"few": ["simulated"]}}}, "axis 'data': 'few' should be a list of overrides"),
        ({"arms": {"few": "width=9"}}, "arm 'few' should be a list of overrides"),
        ({"bundles": {}}, "no key 'bundles'"),
        ({"question": None}, "needs 'question'"),
        ({"axis": {}}, "no key 'axis'.*Did you mean 'axes'"),
        ({"axes": {"fusion": []}}, "'fusion' should be a list"),
        ({"axes": {"fusion": ["gatd"]}, "baseline": {}}, "Did you mean 'gated'"),
        ({"axes": {"windw.k": [1]}, "baseline": {}}, "windw"),
        ({"seeds": ["one"]}, "'seeds' should be"),
        ({"metrics": ["ndgc@10"]}, "Unknown metric 'ndgc@10'"),
        ({"baseline": {"window": "last_k"}}, "not an axis"),
        ({"set": [*SET, "trainer.devices=2"], "tune": {"trials": 1, "space": {"dropout": [0.1]}}}, "one device each"),
        ({"axes": {"fusion": ["gated"], "window.k": {"from": 5}}, "baseline": {}}, "'window.k': a range has 'from'"),
        ({"exclude": {"fusion": "gated"}}, "'exclude' should be a list"),
        ({"exclude": [{"fusion": "gatd"}]}, "s.yaml: 'exclude': axis 'fusion' has no value 'gatd'"),
        ({"exclude": [{"fusion": "long_only"}]}, "'exclude' leaves out the baseline arm"),
        ({"baselines": ["populer"]}, "Did you mean 'popularity'"),
        ({"claims": "gated > long_only on ndcg@10"}, "'claims' should be a list"),
        ({"claims": ["gatd > long_only on ndcg@10"]}, r"s.yaml: .*no arm 'gatd'.*Did you mean 'gated'"),
        ({"claims": ["gated > long_only on ndgc@10"]}, "s.yaml: .*Unknown metric 'ndgc@10'"),
        ({"family": "bonferroni"}, "no correction 'bonferroni'"),
        ({"family": ["holm"]}, "'family' should be a str"),
        ({"axes": {"encoder@long": ["bert4rec"]}, "baseline": {}}, "objective=masked_item"),
    ],
)
def test_a_wrong_study_says_what_and_how(tmp_path, overrides, changes, words):
    with pytest.raises(UserError, match=words):
        plan(read_study_file(write(tmp_path / "s.yaml", **changes)), overrides)


def test_claims_name_the_arms_that_there_are(tmp_path, overrides):
    """What a fusion does not read is known when the arm is composed: before anything runs."""
    axes = {"encoder@short": ["gru", "lstm"], "fusion": ["long_only", "gated"]}
    changes = {"axes": axes, "family": "benjamini_hochberg"}
    claims = ["gru, gated > long_only on ndcg@10", "lstm, gated > popularity on ndcg@10"]
    standing = prepare_study(read_study_file(write(tmp_path / "s.yaml", claims=claims, **changes)), overrides)
    said = yaml.safe_load((standing.directory / "study.yaml").read_text())
    assert (said["claims"], said["family"], said["baselines"]) == (claims, "benjamini_hochberg", ["popularity"])
    wrong = read_study_file(write(tmp_path / "t.yaml", claims=["gated > long_only on ndcg@10"], **changes))
    with pytest.raises(UserError, match=r"study t: .*no arm 'gated'\. Arms: popularity, long_only, gru, gated"):
        prepare_study(wrong, overrides)
    assert not (standing.directory.parent / "t").exists()


def test_an_unknown_study_names_the_known(tmp_path):
    with pytest.raises(UserError, match=r"Known: .*quickstart.*Did you mean 'quickstart'"):
        read_study_file("quikstart")


def test_a_study_continues_where_it_stopped(tmp_path, overrides):
    """Finished runs are not touched, a deleted one is done again with the same bytes."""
    study = read_study_file(write(tmp_path / "s.yaml"))
    standing = prepare_study(study, overrides)
    assert standing.done == [False] * 5
    said: list[Message] = []
    assert run_missing(study, standing, executor=Local(workers=2), tell=lambda _, message: said.append(message)) == 0
    assert sorted(m.index for m in said if m.kind == "done") == [0, 1, 2, 3, 4]
    first = results(standing.directory)
    assert len(first) == 5

    gone = next(standing.directory.glob("*gated*/seed-2"))
    for file in gone.iterdir():
        file.unlink()
    again = prepare_study(study, overrides)
    assert again.done.count(False) == 1
    said.clear()
    assert run_missing(study, again, executor=Here(), tell=lambda _, message: said.append(message)) == 0
    assert [m.index for m in said if m.kind == "done"] == [again.done.index(False)]
    assert results(standing.directory) == first


def test_a_failed_run_is_shown_and_does_not_stop_the_others(tmp_path, overrides):
    study = read_study_file(write(tmp_path / "s.yaml", axes={"optimizer.lr": [0.001, 1e30]}, seeds=[1], baseline={}))
    standing = prepare_study(study, overrides)
    assert run_missing(study, standing, executor=Here(), tell=lambda *_: None) == 1
    states = {
        record["label"]: record["status"]
        for record in (json.loads(p.read_text()) for p in standing.directory.rglob("record.json"))
    }
    assert states == {"popularity": "finished", "0.001": "finished", "1e+30": "failed"}
    from research.reports.rows import read_study, rows

    reasons = [f.reason for row in rows(read_study(standing.directory)) for f in row.failed]
    assert len(reasons) == 1 and "optimizer.lr" in reasons[0]

    again = prepare_study(study, overrides)
    said: list[Message] = []
    failed = [i for i, reason in enumerate(again.failed) if reason]
    assert [again.runs[i].label for i in failed] == ["1e+30"] and again.left(Choice()) == 1
    assert run_missing(study, again, executor=Here(), tell=lambda _, message: said.append(message)) == 0
    assert said == [], "a plain start leaves what failed as it is"
    retry = Choice(retry_failed=True)
    assert again.left(retry) == 0 and again.ahead(retry) == failed
    assert run_missing(study, again, executor=Here(), tell=lambda _, m: said.append(m), choice=retry) == 1
    assert [(m.index, m.kind) for m in said if m.ends] == [(failed[0], "failed")]


def test_a_killed_worker_takes_only_its_own_run(tmp_path, overrides):
    """SIGKILL while a run trains, as an out-of-memory killer would; the rest is finished by a new worker."""
    words = [*SET[:-3], "trainer.max_epochs=200", "trainer.patience=200", *SET[-2:], *overrides]
    orders = [Order(0, [*words, "seed=1"], "s", {}, "long"), Order(1, [*SET, *overrides, "seed=2"], "s", {}, "short")]
    ended: dict[int, Message] = {}
    killed = False
    for message in local.Local(workers=1).execute(orders, tmp_path):
        if message.kind == "progress" and message.index == 0 and not killed:
            killed = True
            for child in local.multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGKILL)
        if message.kind in ("done", "failed"):
            ended[message.index] = message
    assert ended[0].kind == "failed" and "died" in ended[0].content
    assert ended[1].kind == "done"
