"""Whole runs under the rules of published tables: what the ranks hold and what the record says."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as parquet
import pytest

from research.config import compose
from research.training.run import run

TINY = [
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


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setenv("RESEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RESEARCH_MIRROR", raising=False)

    def of(*words: str):
        record, directory = run(compose([*TINY, f"paths.runs={tmp_path / 'runs'}", *words]))
        return record, parquet.read_table(directory / "ranks.parquet").to_pydict()

    return of


def test_seen_items_at_zero_only_ever_add_rivals(trained) -> None:
    record, honest = trained()
    _, zero = trained("evaluation=seen_at_zero")
    assert "negatives" not in record["protocol"] and record["protocol"]["seen"] == "filtered"
    assert set(zero["candidates"]) == {30} and max(honest["candidates"]) < 30
    # One epoch, so the weights are the same: whoever was above a target that was not seen still is.
    unseen = [not again for again in honest["repeat"]]
    more = [z >= h for z, h, new in zip(zero["better"], honest["better"], unseen, strict=True) if new]
    assert all(more) and zero["better"] != honest["better"]


def test_drawn_candidates_and_avoiding_negatives(trained) -> None:
    record, ranks = trained("evaluation=sampled_uniform", "evaluation.negatives=7", "loss=bce", "avoid=whole")
    assert set(ranks["candidates"]) == {8} and max(np.add(ranks["better"], ranks["ties"])) <= 7
    assert record["protocol"]["ranking"] == "7 items drawn uniformly"
    assert record["protocol"]["negatives"] == "avoid the validation and test item"
    assert 0 < record["validation"]["ndcg@10"] <= 1


def test_rules_are_part_of_what_a_run_is(trained) -> None:
    honest, _ = trained("baseline=popularity")
    drawn, _ = trained("baseline=popularity", "evaluation=sampled_popularity", "evaluation.negatives=5")
    assert honest["identity"] != drawn["identity"]
    assert honest["test"]["recall@10"] < drawn["test"]["recall@10"] == 1.0, "five rivals: always among the first ten"
