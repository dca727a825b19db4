"""W&B through Lightning, offline: curves, configuration, final metrics, gate statistics, the study's table."""

from __future__ import annotations

import pytest
import wandb

from research.training.loggers import Wandb
from research.training.run import run


@pytest.fixture
def no_key(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))


def test_mode_follows_the_key(no_key, monkeypatch, tmp_path):
    assert Wandb().offline
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert not Wandb().offline
    assert Wandb(mode="offline").offline
    monkeypatch.delenv("WANDB_API_KEY")
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret")
    assert not Wandb().offline


def test_a_run_is_mirrored_offline(small, no_key):
    """What W&B stored is read back from its own file, not from our code."""
    record, directory = run(small("logger=wandb", "fusion=gated"))
    wandb.teardown()
    log = next(directory.rglob("run-*.wandb")).read_bytes()
    for word in (
        b"val/ndcg@10",
        b"train/loss",
        b"test/recall@10",
        b"test/weight_long",
        b"branch_weight",
        b"max_length",
    ):
        assert word in log, word
    assert record["cell"].encode() in log and b"gated" in log


def test_a_study_table_is_mirrored_offline(tmp_path, no_key):
    Wandb().log_table(tmp_path, "mine", ["arm", "ndcg@10"], [["gated", 0.25]])
    wandb.teardown()  # W&B's own process writes the file; only its end is a promise that the words are on disk
    assert list(tmp_path.rglob("*.table.json"))
    assert b"mine table" in next(tmp_path.rglob("run-*.wandb")).read_bytes()
