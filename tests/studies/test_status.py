"""How far studies are, from directories written by hand."""

from __future__ import annotations

import json
import os

import pytest
from made_runs import made_run

from research import cli
from research.errors import UserError
from research.studies.status import status, statuses

NOW = 1_900_000_000.0


def begun(directory, age):
    directory.mkdir(parents=True)
    (directory / "last.ckpt").write_bytes(b"")
    for path in (directory / "last.ckpt", directory):
        os.utime(path, (NOW - age, NOW - age))


@pytest.fixture
def study(tmp_path):
    made_run(tmp_path, [0, 1])
    made_run(tmp_path, [0, 1], cell="old-9")
    failed = made_run(tmp_path, [0, 1], cell="sum-2", status="failed", reason="the loss is NaN")
    assert failed.is_dir()
    begun(tmp_path / "mine" / "young-3" / "seed-1", 60)
    begun(tmp_path / "mine" / "dead-4" / "seed-1", 7200)
    plan = [
        {"label": label, "seed": 1, "cell": cell}
        for label, cell in (
            ("gated", "gated-1"),
            ("sum", "sum-2"),
            ("young", "young-3"),
            ("dead", "dead-4"),
            ("never", "never-5"),
            ("waits", None),
            ("hopeless", None),
        )
    ]
    (tmp_path / "mine" / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "mine" / "study.yaml").write_text("name: mine\n")
    (tmp_path / "mine" / "tuning").mkdir()
    said = {"status": "failed", "label": "hopeless", "reason": "all trials diverged"}
    (tmp_path / "mine" / "tuning" / "x.json").write_text(json.dumps(said))
    return tmp_path / "mine"


def test_every_state(study):
    found = status(study, now=NOW)
    assert found.asked == 7
    lists = {
        key: [one.label for one in getattr(found, key)]
        for key in ("done", "running", "stopped", "missing", "waiting", "others")
    }
    assert lists == {
        "done": ["gated"],
        "running": ["young"],
        "stopped": ["dead"],
        "missing": ["never"],
        "waiting": ["waits"],
        "others": ["old"],
    }
    assert found.running[0].silent == pytest.approx(60)
    assert {one.label: one.reason for one in found.failed} == {
        "sum": "the loss is NaN",
        "hopeless": "its tuning chose nothing: all trials diverged",
    }


def test_a_failed_run_that_is_tried_again_is_running(study):
    directory = study / "sum-2" / "seed-1"
    os.utime(directory / "record.json", (NOW - 500, NOW - 500))
    os.utime(directory / "ranks.parquet", (NOW - 600, NOW - 600))
    assert "sum" in [one.label for one in status(study, now=NOW).failed]
    (directory / "last.ckpt").write_bytes(b"")
    os.utime(directory / "last.ckpt", (NOW - 5, NOW - 5))
    found = status(study, now=NOW)
    assert "sum" in [one.label for one in found.running] and "sum" not in [one.label for one in found.failed]


def test_without_a_plan_nothing_is_missing(study):
    (study / "plan.json").unlink()
    found = status(study, now=NOW)
    assert found.asked is None and not found.missing and [one.label for one in found.done] == ["gated", "old"]


def test_names_and_mistakes(study, tmp_path):
    made_run(tmp_path, [0, 1], study="single")
    assert [one.name for one in statuses(tmp_path)] == ["mine", "single"]
    assert statuses(tmp_path, str(study))[0].name == "mine"
    with pytest.raises(UserError, match=r"There is no study 'other'.*There: mine, single"):
        statuses(tmp_path, "other")
    with pytest.raises(UserError, match="no study and no run"):
        statuses(tmp_path / "empty")
    (study / "plan.json").write_text("[{}]")
    with pytest.raises(UserError, match=r"plan\.json is damaged"):
        statuses(tmp_path, "mine")


def test_the_command(study, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["status", "mine", "--runs", str(tmp_path)])
    out = capsys.readouterr().out
    assert not stop.value.code
    assert "failed sum, seed 1: the loss is NaN" in out and "missing never, seed 1" in out
    with pytest.raises(SystemExit):
        cli.main(["status", "--runs", str(tmp_path), "--json"])
    assert json.loads(capsys.readouterr().out)["studies"][0]["asked"] == 7
