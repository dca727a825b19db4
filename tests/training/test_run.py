"""A run from configuration to record: reproducible, resumable, honest about failure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from research.config import compose
from research.errors import UserError
from research.metrics.ranking import metric
from research.training import run as run_module
from research.training.callbacks import Progress
from research.training.run import run

KEPT = {"config.yaml", "record.json", "ranks.parquet", "curves.parquet", "weights.safetensors"}


def same_results(a: Path, b: Path) -> None:
    """Ranks and weights equal byte for byte, curves but for their seconds."""
    assert (a / "ranks.parquet").read_bytes() == (b / "ranks.parquet").read_bytes()
    assert (a / "weights.safetensors").read_bytes() == (b / "weights.safetensors").read_bytes()
    for column in ("epoch", "train_loss", "val_ndcg@10"):
        assert pq.read_table(a / "curves.parquet")[column].equals(pq.read_table(b / "curves.parquet")[column])


def test_record_is_complete_and_agrees_with_its_ranks(small):
    record, directory = run(small())
    assert {p.name for p in directory.iterdir()} == KEPT
    assert json.loads((directory / "record.json").read_text()) == record
    ranks = pq.read_table(directory / "ranks.parquet").to_pandas()
    assert sorted(ranks["user"]) == list(range(60))
    assert ((ranks["better"] >= 0) & (ranks["better"] + ranks["ties"] < ranks["candidates"])).all()
    # By hand: without ties the target's place is better + 1.
    place = ranks["better"] + 1
    assert (ranks["ties"] == 0).all()
    assert record["test"]["recall@10"] == pytest.approx((place <= 10).mean())
    assert record["test"]["ndcg@10"] == pytest.approx(np.where(place <= 10, 1 / np.log2(place + 1), 0).mean())
    assert record["test"]["mrr@10"] == pytest.approx(np.where(place <= 10, 1 / place, 0).mean())
    curve = pq.read_table(directory / "curves.parquet")["val_ndcg@10"].to_pylist()
    assert record["validation"]["ndcg@10"] == max(curve)
    assert record["parameters"] == sum(v.numel() for v in load_file(directory / "weights.safetensors").values())


@pytest.mark.parametrize("objective", ["next_item", "masked_item"])
def test_two_runs_are_bit_identical(small, objective):
    same_results(run(small(f"objective={objective}", where="a"))[1], run(small(f"objective={objective}", where="b"))[1])


def test_another_seed_gives_other_numbers(small):
    a, b = run(small("seed=1"))[1], run(small("seed=2"))[1]
    assert a.name == "seed-1" and b.name == "seed-2" and a.parent == b.parent
    assert (a / "ranks.parquet").read_bytes() != (b / "ranks.parquet").read_bytes()


def test_finished_run_is_not_repeated(small, monkeypatch):
    first, _ = run(small())
    monkeypatch.setattr(run_module, "fit", lambda *_, **__: pytest.fail("trained again"))
    again, _ = run(small())
    assert again == first


@pytest.mark.parametrize("objective", ["next_item", "masked_item"])
def test_killed_run_continues_to_the_same_bytes(small, objective):
    """Dies in the middle of epoch 3; what continues must not be told from what was never stopped."""
    words = (f"objective={objective}", "trainer.max_epochs=4")
    _, whole = run(small(*words, where="whole"))

    def die(progress: Progress) -> None:
        if progress.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(small(*words, where="broken"), report=die)
    _, broken = run(small(*words, where="broken"))
    same_results(whole, broken)


def test_diverged_loss_is_one_clear_error_and_is_recorded(small):
    config = small("optimizer.lr=1e30")
    with pytest.raises(UserError, match=r"diverged|NaN"):
        run(config)
    record = json.loads(next(Path(config.paths.runs).rglob("record.json")).read_text())
    assert record["status"] == "failed" and "optimizer.lr" in record["reason"]


def test_failed_run_is_tried_again(small, monkeypatch):
    def fail(*_, **__):
        raise UserError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "fit", fail)
        with pytest.raises(UserError, match="no luck"):
            run(small())
    assert run(small())[0]["status"] == "finished"


def test_unwritable_directory_is_named_before_training(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write records to .*paths\.runs"):
        run(small(where="file/runs"))


def test_damaged_record_is_named(small):
    _, directory = run(small())
    (directory / "record.json").write_text("{")
    with pytest.raises(UserError, match=r"record\.json is damaged"):
        run(small())


@pytest.mark.parametrize(
    ("word", "message"),
    [("width=0", "width=0"), ("max_length=1", "max_length=1"), ("batch_size=0", "batch_size=0"), ("seed=x", "seed=x")],
)
def test_wrong_numbers_are_refused(small, word, message):
    with pytest.raises(UserError, match=message):
        run(small(word))


def test_window_in_minutes_needs_times(small, tmp_path):
    path = tmp_path / "no_times.csv"
    path.write_text("user,item\n" + "".join(f"u{u},i{(u + t) % 5}\n" for u in range(6) for t in range(4)))
    with pytest.raises(UserError, match="needs times"):
        run(compose(["data=files", f"data.path={path}", "data.time=null", "window=session", *_below(tmp_path)]))


def _below(directory: Path) -> list[str]:
    return [f"paths.runs={directory}", f"paths.cache={directory}", "trainer.accelerator=cpu", "trainer.threads=1"]


def test_fewer_users_than_a_batch_and_one_item_histories(tmp_path):
    """Three users, one of them with a single interaction; the batch asks for 128."""
    path = tmp_path / "tiny.csv"
    rows = ["a,x,1", "a,y,2", "a,z,3", "b,y,1", "b,z,2", "b,x,3", "b,w,4", "c,x,9"]
    path.write_text("\n".join(["user,item,time", *rows]) + "\n")
    config = compose(
        ["data=files", f"data.path={path}", "width=8", "max_length=4", "trainer.max_epochs=1", *_below(tmp_path)]
    )
    record, directory = run(config)
    # a: train x, validation y, test z; b: train y z; c is never evaluated.
    assert record["protocol"]["users"] == 2
    ranks = pq.read_table(directory / "ranks.parquet").to_pandas()
    assert list(ranks["history_length"]) == [2, 3]
    assert list(ranks["candidates"]) == [2, 1]  # of w x y z, without what was seen


def test_too_short_histories_are_refused(tmp_path):
    path = tmp_path / "short.csv"
    path.write_text("user,item,time\na,x,1\nb,y,1\n")
    config = compose(["data=files", f"data.path={path}", *_below(tmp_path)])
    with pytest.raises(UserError, match="3 interactions"):
        run(config)


@pytest.mark.parametrize("name", ["popularity", "recent_popularity", "ease"])
def test_baselines_leave_the_same_kind_of_record(small, name):
    record, directory = run(small(f"baseline={name}"))
    assert record["kind"] == "baseline" and record["parameters"] == 0 and record["branch_weight"] is None
    ranks = pq.read_table(directory / "ranks.parquet").to_pandas()
    value = metric("ndcg@10", ranks["better"].to_numpy(), ranks["ties"].to_numpy()).mean()
    assert record["test"]["ndcg@10"] == pytest.approx(value) and value > 0


def test_training_learns_what_popularity_cannot(small):
    """On data with a session taste the trained model must leave the non-personal baseline behind."""
    words = ("data.n_users=200", "data.mean_length=20", "width=16", "trainer.max_epochs=12", "optimizer.lr=0.01")
    model = run(small(*words))[0]["test"]["ndcg@10"]
    popular = run(small(*words, "baseline=popularity"))[0]["test"]["ndcg@10"]
    assert model > 1.2 * popular, (model, popular)


def test_environment_is_left_alone(small):
    """Global switches of torch are back where they were; a notebook user would be surprised otherwise."""
    threads = torch.get_num_threads()
    run(small())
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
