"""A study with ``tune:``: every arm gets the same trials, then its seeds run with what they chose."""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from research.config import compose, identity
from research.console import print_plan
from research.errors import UserError
from research.reports.markdown import markdown_table
from research.reports.page import write_page
from research.reports.publish import publish
from research.reports.rows import read_study, rows
from research.studies import run_tunings
from research.studies.executors import local
from research.studies.plan import plan, settled, tunings
from research.studies.run_study import Standing, prepare_study, run_missing
from research.studies.study import Study, read_study_file
from research.studies.worker import Message
from research.tuning.tune import tune
from tests.studies.here import Here

SET = [
    "data=simulated",
    "data.n_users=40",
    "data.n_items=30",
    "data.mean_length=10",
    "width=8",
    "max_length=10",
    "batch_size=16",
    "trainer.max_epochs=2",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
]
TUNE = {
    "trials": 2,
    "sampler": "random",
    "seed": 1,
    "space": {"optimizer.lr": {"low": 0.001, "high": 0.1, "log": True}, "dropout": [0.1, 0.2]},
    "baselines": {"ease": {"baseline.l2": {"low": 1, "high": 1000, "log": True}}},
}
BARE = {key: value for key, value in TUNE.items() if key != "baselines"}
ARMS = {"long": ["fusion=long_only", "encoder@long=gru"], "both": ["fusion=sum", "encoder@long=gru", "window.k=3"]}


def write(path: Path, **changes: object) -> Study:
    content = {
        "question": "Does it run?",
        "set": SET,
        "arms": ARMS,
        "baselines": ["popularity", "ease"],
        "seeds": [1, 2],
        "metrics": ["ndcg@10"],
        "baseline": {"arm": "long"},
        "tune": TUNE,
        **changes,
    }
    path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False))
    return read_study_file(str(path))


@pytest.fixture
def overrides(tmp_path: Path) -> list[str]:
    return [f"paths.runs={tmp_path / 'runs'}", f"paths.cache={tmp_path / 'cache'}"]


def results(standing: Standing) -> dict[str, dict]:
    return {r["label"]: r for r in (json.loads(p.read_text()) for p in standing.directory.glob("tuning/*.json"))}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Standing, list[tuple[str, Message]], list[str]]:
    """A study that has run, shared by the tests that only read it."""
    root = tmp_path_factory.mktemp("tuned")
    words = [f"paths.runs={root / 'runs'}", f"paths.cache={root / 'cache'}"]
    study = write(root / "s.yaml")
    standing = prepare_study(study, words)
    said: list[tuple[str, Message]] = []
    assert run_missing(study, standing, executor=Here(), tell=lambda what, m: said.append((what.title, m))) == 0
    return study, standing, said, words


class TestDone:
    def test_every_arm_has_the_same_number_of_trials_and_the_same_proposals(self, done):
        found = results(done[1])
        assert set(found) == {"ease", "long", "both"}
        assert {label: len(r["tried"]) for label, r in found.items()} == {"ease": 2, "long": 2, "both": 2}
        assert [t["values"] for t in found["long"]["tried"]] == [t["values"] for t in found["both"]["tried"]]
        assert found["long"]["identity"] != found["both"]["identity"]

    def test_tunings_come_before_the_runs(self, done):
        ended = [title for title, message in done[2] if message.kind == "done"]
        assert {*ended[:3]} == {"ease, tuning", "long, tuning", "both, tuning"}
        assert len(ended) == 3 + 2 + 4

    def test_runs_have_what_was_chosen_and_their_own_seeds(self, done):
        study, standing, _, _ = done
        found = results(standing)
        records = [json.loads(p.read_text()) for p in standing.directory.glob("*/seed-*/record.json")]
        assert sorted((r["label"], r["seed"]) for r in records if r["kind"] == "model") == [
            ("both", 1),
            ("both", 2),
            ("long", 1),
            ("long", 2),
        ]
        for record in records:
            if record["label"] == "popularity":
                assert record["tuning"] is None
                continue
            result = found[record["label"]]
            tried = [t["validation"] for t in result["tried"]]
            assert result["validation"] == max(tried)
            best = result["tried"][tried.index(max(tried))]["values"]
            config = record["config"]
            if record["kind"] == "model":
                assert (config["optimizer"]["lr"], config["dropout"]) == (best["optimizer.lr"], best["dropout"])
            else:
                assert config["baseline"]["l2"] == best["baseline.l2"]
            said = record["tuning"]
            assert said["chosen"] == best and said["validation"] == max(tried)
            assert (said["trials"], said["sampler"], said["seed"]) == (2, "random", 1)
            assert said["space"] == (TUNE["space"] if record["kind"] == "model" else TUNE["baselines"]["ease"])
            assert record["seed"] in study.seeds and said["run_seed"] not in study.seeds
            words = [*SET, *done[3], *ARMS.get(record["label"], ["baseline=ease"]), f"seed={record['seed']}"]
            words += [f"{key}={value}" for key, value in best.items()]
            assert record["identity"] == identity(compose(words))

    def test_nothing_is_done_twice(self, done):
        study, _, _, words = done
        again = prepare_study(study, words)
        assert all(again.done) and not again.untuned
        said: list[Message] = []
        run_missing(study, again, executor=Here(), tell=lambda _, message: said.append(message))
        assert said == []

    def test_the_plan_shows_the_trials(self, done, capsys):
        print_plan(prepare_study(done[0], done[3]))
        text = capsys.readouterr().out
        assert "6 of 6 runs are done" in text and "3 of 3 arms are tuned" in text and text.count("2 of 2") == 3

    def test_the_footer_says_the_budget(self, done):
        records = read_study(done[1].directory)
        text = markdown_table(rows(records), records)
        assert (
            "- Tuning: 2 trials on validation NDCG@10 (random sampler, seed 1, no pruning) over dropout one of 0.1, "
            "0.2; optimizer.lr 0.001 to 0.1 (log scale), every other tuned arm alike." in text
        )
        assert "- Tuning of ease: 2 trials on validation NDCG@10" in text
        assert "Not tuned: popularity." in text and "Warning" not in text

    def test_chosen_values_stand_in_a_table(self, done):
        records = read_study(done[1].directory)
        text = markdown_table(rows(records), records)
        page = write_page(done[1].directory).read_text()
        table = text.split("**What the tuning chose**")[1]
        for label, result in results(done[1]).items():
            line = next(line for line in table.splitlines() if line.startswith(f"| {label}"))
            for value in result["chosen"].values():
                assert f"{value:.4g}" in line and f">{value:.4g}<" in page
        assert re.search(r"Trials \|\n", text) and "What the tuning chose, on validation" in page

    def test_the_trials_are_published_with_the_runs(self, done, tmp_path):
        publish(done[1].directory, tmp_path / "results")
        assert len(list((tmp_path / "results" / "runs" / "tuning").glob("*.json"))) == 3
        before, after = read_study(done[1].directory), read_study(tmp_path / "results" / "runs")
        assert markdown_table(rows(after), after) == markdown_table(rows(before), before)


def test_another_budget_with_the_same_choice_is_another_tuning_but_no_other_run(tmp_path, overrides):
    """A run is its configuration; what its record says of the tuning is brought up to date."""
    only = {"arms": {"long": ARMS["long"]}, "baselines": [], "seeds": [1]}
    space = {"dropout": [0.1]}
    study = write(tmp_path / "s.yaml", **only, tune={"trials": 1, "space": space})
    run_missing(study, prepare_study(study, overrides), executor=Here(), tell=lambda *_: None)
    study = write(tmp_path / "s.yaml", **only, tune={"trials": 2, "space": space})
    standing = prepare_study(study, overrides)
    assert len(standing.untuned) == 1
    said: list[tuple[str, str]] = []
    run_missing(study, standing, executor=Here(), tell=lambda what, message: said.append((what.title, message.kind)))
    assert ("long, tuning", "done") in said and not any(title == "long, seed 1" for title, _ in said)
    record = json.loads(next(standing.directory.glob("*/seed-1/record.json")).read_text())
    assert record["tuning"]["trials"] == 2


def test_an_arm_that_cannot_be_tuned_fails_with_its_reason(tmp_path, overrides):
    """Every trial of one arm diverges; the other arm is not touched by it, and the table says so."""
    arms = {**ARMS, "wild": [*ARMS["long"], "optimizer.weight_decay=1e30"]}
    study = write(tmp_path / "s.yaml", arms=arms, baselines=[], seeds=[1], tune=BARE)
    standing = prepare_study(study, overrides)
    assert run_missing(study, standing, executor=Here(), tell=lambda *_: None) == 1
    found = results(standing)
    assert found["wild"]["status"] == "failed" and found["wild"]["failed"] == 2
    assert [found[label]["status"] for label in ("long", "both")] == ["finished"] * 2
    records = read_study(standing.directory)
    made = {row.label: row for row in rows(records)}
    assert made["wild"].seeds == () and "diverged" in made["wild"].failed[0].reason
    text = markdown_table(rows(records), records)
    assert "Failed: wild, seed 1: No trial of the tuning ended well" in text
    assert "Trials that failed count: wild 2." in text
    assert len(prepare_study(study, overrides).untuned) == 1, "it is tried again"


def test_a_failed_trial_counts_and_the_arm_goes_on(tmp_path, overrides):
    """Of a Transformer: its states are unbounded, so at this rate infinities meet and the loss is no number.

    A GRU's are not: it saturates, and its loss stays finite because probabilities are kept above the smallest float.
    """
    space = {"optimizer.lr": [0.01, 1e30]}
    only = {"arms": {"long": ["fusion=long_only", "encoder@long=transformer"]}, "baselines": [], "seeds": [1]}
    study = write(tmp_path / "s.yaml", **only, tune={"trials": 2, "sampler": "grid", "space": space})
    standing = prepare_study(study, overrides)
    assert run_missing(study, standing, executor=Here(), tell=lambda *_: None) == 0
    result = results(standing)["long"]
    assert sorted(t["state"] for t in result["tried"]) == ["complete", "failed"]
    assert result["chosen"] == {"optimizer.lr": 0.01} and len(result["tried"]) == 2
    assert "diverged" in next(t["reason"] for t in result["tried"] if t["state"] == "failed")


def test_a_killed_worker_costs_one_trial(tmp_path, overrides):
    """SIGKILL within a trial, as an out-of-memory killer would: that trial is failed, the arm goes on."""
    words = [w for w in SET if "max_epochs" not in w]
    only = {"arms": {"long": ARMS["long"]}, "baselines": [], "seeds": [1], "tune": BARE}
    study = write(tmp_path / "s.yaml", **only, set=[*words, "trainer.max_epochs=30", "trainer.patience=30"])
    arm = tunings(plan(study, overrides))[0]
    killed: list[int] = []

    def tell(_, message: Message) -> None:
        if message.kind == "progress" and not killed:
            for child in local.multiprocessing.active_children():
                killed.append(child.pid or 0)
                os.kill(child.pid or 0, signal.SIGKILL)

    assert run_tunings.run_tunings([arm], local.Local(workers=1), tell=tell) == 0
    result = arm.read()
    assert result is not None and [t["state"] for t in result["tried"]] == ["failed", "complete"]
    assert "exit code -9" in result["tried"][0]["reason"]
    undisturbed = replace(arm, directory=tmp_path / "other")
    assert [t["values"] for t in tune(undisturbed)["tried"]] == [t["values"] for t in result["tried"]]


class TestPlan:
    def test_arms_are_an_axis_of_names(self, tmp_path, overrides):
        runs = plan(write(tmp_path / "s.yaml", tune=None), overrides)
        assert [(r.label, r.config.seed, r.arm) for r in runs[2:]] == [
            ("long", 1, {"arm": "long"}),
            ("both", 1, {"arm": "both"}),
            ("long", 2, {"arm": "long"}),
            ("both", 2, {"arm": "both"}),
        ]
        assert runs[3].config.window.k == 3

    def test_arms_multiply_with_axes(self, tmp_path, overrides):
        study = write(tmp_path / "s.yaml", axes={"width": [8, 16]}, seeds=[1], baselines=[], tune=None, set=SET[:4])
        runs = plan(study, overrides)
        assert [(r.label, r.config.width) for r in runs] == [
            ("long, 8", 8),
            ("long, 16", 16),
            ("both, 8", 8),
            ("both, 16", 16),
        ]

    def test_a_model_is_an_arm_by_its_name_and_set_wins_over_its_file(self, tmp_path, overrides):
        said = {"arms": None, "axes": {"model": ["sasrec", "gru4rec"]}, "baseline": {"model": "sasrec"}, "seeds": [1]}
        file = write(tmp_path / "s.yaml", **said, baselines=[], tune=None, set=[*SET, "loss=cross_entropy"])
        runs = plan(file, overrides)
        assert [r.label for r in runs] == ["sasrec", "gru4rec"]
        assert compose(["model=sasrec"]).loss._target_ != runs[0].config.loss._target_
        assert {r.config.loss._target_ for r in runs} == {"research.losses.cross_entropy.CrossEntropy"}

    def test_runs_wait_for_their_values(self, tmp_path, overrides):
        runs = plan(write(tmp_path / "s.yaml"), overrides)
        assert [r.ready for r in runs] == [True, *[False] * 5]
        assert len(tunings(runs)) == 3
        assert settled(runs) == runs, "nothing is tuned yet"

    def test_seeds_differ_in_nothing_else(self, tmp_path, overrides):
        for run in plan(write(tmp_path / "s.yaml"), overrides):
            assert run.config == compose(run.overrides)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"arms": None}, "needs 'axes' or 'arms'"),
            ({"arms": {"a": "width=8"}}, "arm 'a' should be a list of overrides"),
            ({"arms": {"a": ["width"]}}, "arm 'a' should be a list of overrides"),
            ({"axes": {"arm": ["a"]}}, "made of 'arms'"),
            ({"baseline": {"arms": "long"}}, "not an axis. Axes: arm"),
            ({"baseline": {"arm": "lang"}}, "'arm' has no value 'lang'.*Did you mean 'long'"),
            ({"axes": {"dropout": [0.1]}}, "dropout=0.1: the tuning chooses 'dropout'"),
            ({"set": [*SET, "optimizer.lr=0.1"]}, "the tuning chooses 'optimizer.lr'"),
            ({"arms": {"long": ["dropout=0.5"]}}, "the tuning chooses 'dropout'"),
            ({"tune": {**TUNE, "baselines": {"eese": TUNE["baselines"]["ease"]}}}, "no row of the study"),
            ({"tune": {**TUNE, "space": {"optimizer.lrr": [1]}}}, "Did you mean 'optimizer.lr'"),
            ({"tune": {**TUNE, "space": {"dropout": [0.1, "high"]}}}, "Expected a number"),
            ({"tune": {**TUNE, "trails": 3}}, "Did you mean 'trials'"),
        ],
    )
    def test_a_wrong_study_says_what_and_how(self, tmp_path, overrides, changes, message):
        with pytest.raises(UserError, match=message):
            plan(write(tmp_path / "s.yaml", **changes), overrides)


def test_unequal_budgets_are_warned_of(done, tmp_path):
    """A record that says another number of trials than the others, though it is one seed of several."""
    publish(done[1].directory, tmp_path / "results")
    path = next((tmp_path / "results" / "runs").glob("*sum*/seed-1/record.json"))
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "tuning": {**record["tuning"], "trials": 50}}))
    records = read_study(tmp_path / "results" / "runs")
    text = markdown_table(rows(records), records)
    assert "Warning: the arms were not all tuned with the same budget" in text and "50 trials" in text
