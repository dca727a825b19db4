"""A fusion that should weigh each position anew and does not is remarked on, and any that reads one state twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from research.data.load import load
from research.evaluation.blocks import Blocks, BlockSampler
from research.evaluation.table import Ranks
from research.training.assemble import assemble
from research.training.outcome import alarms
from research.training.run import run


@pytest.mark.parametrize(("fusion", "remarked"), [("gated", True), ("weighted", False), ("long_only", False)])
def test_only_a_fusion_that_weighs_is_remarked_on(small, fusion, remarked):
    record, _ = run(small(f"fusion={fusion}", "trainer.max_epochs=1"))
    assert isinstance(record["alarms"], list)
    config = small(f"fusion={fusion}")
    histories, split = load(config)
    n = len(split.test)
    zeros = np.zeros(n, dtype=np.int64)
    weight_N2 = np.tile(np.array([[0.99, 0.01]], dtype=np.float32), (n, 1))
    ranks = Ranks.of_queries(histories, split.test, np.arange(n), zeros, zeros, zeros + 40, weight_B2=weight_N2)
    found = alarms(config, ranks)
    assert bool(found) is remarked
    if remarked:
        assert any("constant gate" in line for line in found) and any("saturated gate" in line for line in found)
        apart = replace(ranks, weight_long=np.linspace(0.1, 0.9, n, dtype=np.float32))
        assert alarms(config, apart) == []
    # Whether it weighs or not, a fusion of two states has no use for one state twice.
    assert [line for line in alarms(config, ranks, 0.99) if line not in found] == [
        "one branch twice: the two states correlate by 0.990"
    ]
    assert alarms(config, ranks, 0.9) == found


def twice(record: dict) -> list[str]:
    return [line for line in record["alarms"] if line.startswith("one branch twice")]


def by_hand(config, directory: Path, names: tuple[str, str]) -> float:
    """NumPy's correlation of two views' states over all test users at once, from the weights that the run kept."""
    histories, split = load(config)
    parts = assemble(config, histories, split.train)
    parts.model.load_state_dict(load_file(directory / "weights.safetensors"))
    parts.model.eval()
    blocks, found = Blocks(histories, split.test, parts.objective, config.max_length), []
    for chosen in BlockSampler(split.test):
        block = blocks[chosen]
        with torch.no_grad():
            views = parts.model.views(block.batch, block.at)
            found.append(np.stack([getattr(views, name).double().numpy() for name in names]))
    both_2QD = np.concatenate(found, axis=1)
    assert both_2QD.shape[1] == len(split.test)
    return np.corrcoef(*(both_2QD - both_2QD.mean(axis=1, keepdims=True)).reshape(2, -1))[0, 1]


@pytest.mark.parametrize(
    ("fusion", "names"),
    [
        ("gated", ("long_ND", "short_ND")),
        ("sum", ("long_ND", "short_ND")),
        ("slirec", ("long_ND", "short_ND")),
        ("same_branch_twice", ("long_ND", "twin_ND")),
        ("weighted_twin", ("twin_ND", "short_ND")),
    ],
)
def test_a_record_states_how_alike_the_two_states_are(small, fusion, names):
    config = small(f"fusion={fusion}", "window.k=3", "trainer.max_epochs=1")
    record, directory = run(config)
    assert record["branch_correlation"] == pytest.approx(by_hand(config, directory, names), abs=1e-9)
    assert abs(record["branch_correlation"]) < 0.95 and not twice(record)


@pytest.mark.parametrize("words", [["fusion=long_only"], ["fusion=initial_state"], ["baseline=popularity"]])
def test_without_two_states_there_is_nothing_to_correlate(small, words):
    record, _ = run(small(*words, "trainer.max_epochs=1"))
    assert record["branch_correlation"] is None and not twice(record)


def test_states_of_several_interests_are_not_those_of_one(small):
    record, _ = run(small("fusion=max_interest", "encoder@long=multi_interest", "trainer.max_epochs=1"))
    assert record["branch_correlation"] is None


def test_one_branch_twice_is_remarked_on(small):
    """One encoder, and a window that is the whole history: whatever was trained, there is one state."""
    record, _ = run(small("model=pretrained_alpha", "encoder@short=gru", "window=all", "trainer.max_epochs=1"))
    assert record["branch_correlation"] == pytest.approx(1, abs=1e-6)
    assert len(twice(record)) == 1
