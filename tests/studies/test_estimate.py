"""What is ahead in time and disk, from records written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from research.config import identity
from research.console import print_plan
from research.studies.choice import Choice
from research.studies.estimate import estimate, span
from research.studies.plan import plan
from research.studies.standing import Standing, stand
from research.studies.study import read_study_file
from research.training.names import run_directory

CONTENT = {
    "question": "How long?",
    "set": ["data=simulated", "trainer.threads=1", "trainer.max_epochs=50"],
    "axes": {"fusion": ["long_only", "gated"]},
    "baselines": ["popularity"],
    "seeds": [1, 2, 3],
}


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(CONTENT, sort_keys=False))
    (tmp_path / "s").mkdir()
    return stand("s", tmp_path / "s", plan(read_study_file(str(tmp_path / "s.yaml")), [f"paths.runs={tmp_path}"]))


def finish(standing: Standing, title: str, **said: object) -> Standing:
    """Write the record of a run: ``epochs`` of ``epoch`` seconds, ``test`` seconds, or the ``reason`` why it failed."""
    run = next(run for run in standing.runs if run.title == title)
    directory = run_directory(run.config, "s")
    directory.mkdir(parents=True)
    (directory / "weights.safetensors").write_bytes(b"0" * 1_000_000)
    record = {"status": "finished", "identity": identity(run.config), "tuning": None, "kind": "model"}
    if "reason" in said:
        record |= {"status": "failed", **said}
    else:
        epochs, epoch = said["epochs"], said["epoch"]
        seconds = {"train": epochs * epoch * 0.75, "validation": epochs * epoch * 0.25, "test": said["test"]}
        record |= {"seconds": seconds, "epochs": {"run": epochs}}
        record["kind"] = "model" if epochs else "baseline"
    (directory / "record.json").write_text(json.dumps(record))
    return stand("s", standing.directory, standing.runs)


def test_nothing_tells_before_a_run_has_finished(standing, capsys):
    found = estimate(standing, Choice())
    assert (found.runs, found.seen, found.seconds, found.size) == (7, 0, None, None)
    print_plan(standing)
    out = capsys.readouterr().out
    assert "0 of 7 runs are done" in out
    assert "Ahead: 7 runs. Time and disk are unknown until a run has finished." in out.replace("\n", " ")


def test_an_arm_takes_what_its_own_runs_took(standing, capsys):
    standing = finish(standing, "popularity, seed 1", epochs=0, epoch=0.0, test=2.0)
    standing = finish(standing, "long_only, seed 1", epochs=10, epoch=4.0, test=1.0)
    found = estimate(standing, Choice())
    # Two runs of long_only and three of gated, which nothing tells of but long_only: 10 epochs of 4 s and the test.
    assert (found.runs, found.seen) == (5, 2) and found.seconds == pytest.approx(5 * 41)
    assert found.at_most == pytest.approx(5 * 201)
    standing = finish(standing, "gated, seed 2", epochs=20, epoch=10.0, test=3.0)
    found = estimate(standing, Choice())
    assert found.seconds == pytest.approx(2 * 41 + 2 * 203) and found.at_most == pytest.approx(2 * 201 + 2 * 503)
    assert found.size == pytest.approx(4_000_000, rel=0.01)
    only = estimate(standing, Choice(only=({"fusion": ["gated"]},)))
    assert (only.runs, only.seconds) == (2, pytest.approx(406))
    assert found.sentence(2) == (
        "Ahead: 4 runs. About 8 min one after the other, 4 min with 2 at one time (from 3 finished runs; at most "
        "12 min if none stops early), and 4.0 MB of disk."
    )
    print_plan(standing, Choice(only=({"fusion": ["gated"]},)))
    out = capsys.readouterr().out
    assert "3 of 7 runs are done" in out and "Ahead: 2 runs. About 7 min" in out


def test_failed_runs_are_left_or_ahead(standing, capsys):
    standing = finish(standing, "popularity, seed 1", epochs=0, epoch=0.0, test=2.0)
    standing = finish(standing, "gated, seed 1", reason="the loss is [NaN]")
    assert estimate(standing, Choice()).runs == 5
    assert estimate(standing, Choice(retry_failed=True)).runs == 6
    print_plan(standing)
    out = capsys.readouterr().out
    assert "Failed: gated, seed 1: the loss is [NaN]" in out
    assert "1 failed run(s) are left as they are; --retry-failed does them again." in out


def test_everything_done_says_so(standing):
    for run in list(standing.runs):
        epochs = 0 if run.label == "popularity" else 5
        standing = finish(standing, run.title, epochs=epochs, epoch=1.0, test=1.0)
    assert estimate(standing, Choice()).sentence(2) == "Nothing is ahead."


def test_spans():
    assert [span(s) for s in (0.4, 99, 100, 5940, 6000, 12_000)] == [
        "0 s",
        "99 s",
        "2 min",
        "99 min",
        "1 h 40 min",
        "3 h 20 min",
    ]
