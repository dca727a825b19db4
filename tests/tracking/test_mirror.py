"""Runs rebuilt in W&B from records, offline; what W&B stored is read from its own files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import wandb
import yaml
from made_runs import made_run

from research import cli
from research.tracking.mirror import curves, mirror, runs_of
from research.tracking.names import run_id, tags
from research.training.loggers import Wandb


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # whoever asks the network fails


def stored(directory: Path) -> dict[str, bytes]:
    """W&B's files of a directory by the id in their names."""
    wandb.teardown()
    return {path.stem.removeprefix("run-"): path.read_bytes() for path in sorted(directory.rglob("run-*.wandb"))}


def test_a_run_is_there_once(tmp_path):
    directory = made_run(tmp_path, [0, 1, 30], weights=[0.25, 0.5, 0.75], curve=[0.125, 0.375])
    record = json.loads((directory / "record.json").read_text())
    assert mirror(Wandb(), directory) is True
    files = stored(directory)
    assert list(files) == [run_id("mine", record["identity"], 1)]
    (log,) = files.values()
    for word in (b"val/ndcg@10", b"0.375", b"train/loss", b"test/recall@10", b"test/weight_long", b"elementwise"):
        assert word in log, word
    assert b"gated-1" in log and b"leave-one-out" in log and b"/somewhere/else" not in log
    assert mirror(Wandb(), directory) is False and len(stored(directory)) == 1
    assert mirror(Wandb(project="another"), directory) is True
    (directory / "record.json").write_text(json.dumps({**record, "parameters": 7}))
    assert mirror(Wandb(project="another"), directory) is True
    assert len(stored(directory)) == 1, "the same run has the same id however often it is sent"


def test_ids_and_tags():
    first = run_id("mine", "a" * 64, 1)
    assert (
        first == run_id("mine", "a" * 64, 1)
        and len({first, run_id("b", "a" * 64, 1), run_id("mine", "a" * 64, 2)}) == 3
    )
    record = {
        "study": "s",
        "data": {"name": "toy"},
        "kind": "model",
        "protocol": {"split": "x" * 80},
        "arm": {"f": "g"},
    }
    assert tags(record) == ["s", "toy", "model", "x" * 64, "f=g"]


def test_curves_skip_what_an_epoch_has_not(tmp_path):
    directory = made_run(tmp_path, [0, 1], curve=[0.5])
    assert curves(directory) == [
        {"epoch": 1, "train/loss": 1.0, "val/ndcg@10": 0.5, "seconds/train": 2.0, "seconds/validation": 0.5}
    ]
    assert curves(tmp_path) == []


def test_a_study_is_a_group_with_table_and_figures(tmp_path, capsys):
    made_run(tmp_path, [0, 1, 30], curve=[0.1, 0.2])
    made_run(tmp_path, [0, 9, 30], cell="sum-2", curve=[0.1, 0.3])
    made_run(tmp_path, [5, 9, 30], cell="bad-3", status="failed", reason="no luck")
    study = {"name": "mine", "axes": {"fusion": ["gated", "sum"]}, "seeds": [1], "metrics": ["recall@10"]}
    (tmp_path / "mine" / "study.yaml").write_text(yaml.safe_dump(study))
    found, place = runs_of("mine", tmp_path)
    assert [path.parent.name for path in found] == ["gated-1", "sum-2"] and place == tmp_path / "mine"
    for expected in ((2, 0, 1), (0, 2, 0)):
        with pytest.raises(SystemExit) as stop:
            cli.main(["sync", "mine", "--runs", str(tmp_path), "--json"])
        said = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        assert not stop.value.code
        assert tuple(len(said[key]) for key in ("sent", "skipped", "tables")) == expected and said["offline"]
    assert len(stored(tmp_path)) == 3
    assert list(tmp_path.rglob("*.table.json"))
    drawn = [path.read_text() for path in tmp_path.rglob("media/html/**/*.html")]
    assert drawn and all("<svg" in text for text in drawn)
