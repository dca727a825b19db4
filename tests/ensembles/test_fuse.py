"""Trained runs that score again and rank together, on simulated data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from research.cli import app
from research.config import compose
from research.ensembles.fuse import fuse, write
from research.errors import UserError
from research.training.run import run

SMALL = ["data=simulated", "data.n_users=60", "data.n_items=40", "data.mean_length=12", "width=8", "max_length=12"]
SMALL += ["batch_size=16", "trainer.max_epochs=2", "trainer.threads=1", "trainer.accelerator=cpu", "logger=none"]
ARMS = {
    "long": ["fusion=long_only"],
    "gated": ["fusion=gated", "window.k=3"],
    "masked": ["encoder@long=bert4rec", "objective=masked_item", "fusion=long_only"],
    "by_candidate": ["fusion=fissa"],
    "ease": ["baseline=ease"],
    "other_data": ["fusion=long_only", "data.seed=9"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Directories of one run of each arm."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESEARCH_CACHE", str(folder / "cache"))
        return {name: run(compose([*SMALL, *words, f"paths.runs={folder}"]))[1] for name, words in ARMS.items()}


@pytest.fixture(autouse=True)
def _same_cache(trained: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESEARCH_CACHE", str(trained["long"].parents[2] / "cache"))


def counts(directory: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pq.read_table(directory / "ranks.parquet")
    return table["better"].to_numpy(), table["ties"].to_numpy()


@pytest.mark.parametrize("arm", ["long", "gated", "masked", "by_candidate", "ease"])
@pytest.mark.parametrize("by", ["weighted", "ranks"])
def test_a_run_with_all_the_weight_keeps_its_ranks(trained, arm: str, by: str) -> None:
    other = "gated" if arm == "long" else "long"
    together = fuse([trained[arm], trained[other]], by, [1.0, 0.0]).ranks
    better, ties = counts(trained[arm])
    assert np.array_equal(together.better, better) and np.array_equal(together.ties, ties)


def test_equal_weights_give_ranks_of_neither(trained) -> None:
    together = fuse([trained["long"], trained["gated"]], "weighted")
    assert together.weights == [0.5, 0.5]
    assert not np.array_equal(together.ranks.better, counts(trained["long"])[0])
    assert not np.array_equal(together.ranks.better, counts(trained["gated"])[0])


def test_learning_looks_at_validation_items_alone(trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from research.ensembles import fuse as module

    asked = []
    monkeypatch.setattr(module.Learned, "learn", lambda self, seen: asked.extend(int(b) for _, t in seen for b in t))
    fuse([trained["long"], trained["gated"]], "learned")
    histories, split = module.TrainedRun(trained["long"]).load()
    expected = histories.items[split.validation.target] - 1
    assert sorted(asked) == sorted(expected.tolist())


def test_the_record_is_a_run_of_its_own(trained, tmp_path: Path) -> None:
    members = [trained["long"], trained["ease"]]
    first = write(fuse(members, "learned"), tmp_path)
    second = write(fuse(members, "learned"), tmp_path)
    assert first == second
    record = json.loads((first / "record.json").read_text())
    better, ties = counts(first)
    assert ties.max() == 0
    assert record["test"]["recall@10"] == pytest.approx((better < 10).mean())
    assert [m["identity"] for m in record["members"]] == [
        json.loads((d / "record.json").read_text())["identity"] for d in members
    ]


@pytest.mark.parametrize(
    ("members", "by", "weights", "says"),
    [
        (["long"], "weighted", None, "at least two"),
        (["long", "gated"], "sum", None, "no rule 'sum'. Known: weighted, ranks, learned"),
        (["long", "gated"], "weighted", [1.0], "one a run"),
        (["long", "gated"], "weighted", [1.0, -1.0], "not negative"),
        (["long", "other_data"], "weighted", None, "differ in their data"),
    ],
)
def test_what_makes_no_sense_is_refused(trained, members, by, weights, says: str) -> None:
    with pytest.raises(UserError, match=says):
        fuse([trained[name] for name in members], by, weights)


def test_missing_and_damaged_runs_are_named(trained, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"record.json is missing"):
        fuse([trained["long"], tmp_path], "weighted")
    copy = tmp_path / "copy"
    shutil.copytree(trained["gated"], copy)
    (copy / "weights.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(UserError, match="its weights cannot be read"):
        fuse([trained["long"], copy], "weighted")


def test_the_command_prints_members_and_the_fused(trained, tmp_path: Path) -> None:
    words = ["fuse", str(trained["long"]), str(trained["gated"]), "--weights", "3,1", "--runs", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert record["weights"] == [0.75, 0.25] and Path(record["directory"]).is_dir()
