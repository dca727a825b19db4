"""Two gloo processes take the steps of one, also where gradients are sparse and where weights are averaged.

Plain steps have no test of their own: averages of the weights along the way are equal only where the steps are.
"""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from research.training.run import run
from tests.training.test_two_processes import train_in_two

FIXED = '''
"""A sampled loss that draws nothing, so that what a process compares does not depend on how many there are."""

import torch

from research.losses.bce import BCE
from research.losses.draw import Draw


class FirstItems(Draw):
    def forward(self, shape, target_N):
        return torch.arange(shape[-1]).expand(shape)


class Fixed(BCE):
    def __init__(self, count_I, *, negatives: int = 1, source: str = "uniform", exponent: float = 0.75,
                 shared: bool = False) -> None:
        super().__init__(count_I, negatives=negatives, source=source, exponent=exponent, shared=shared)
        self.draw = FirstItems(count_I, source, exponent)
'''
# Without dropout neither side draws, so steps on two processes must equal steps on one.
STEPS = ("dropout=0.0", "trainer.max_epochs=2", "trainer.validate_every=2")
SPARSE = ("items.sparse=true", "loss=bce", "loss._target_=fixed_loss.Fixed", "loss.negatives=4", "data.n_items=400")


def close(one: Path, two: Path) -> bool:
    """Whether all weights agree within what sums of another order explain."""
    a, b = load_file(one / "weights.safetensors"), load_file(two / "weights.safetensors")
    assert set(a) == set(b)
    return all(torch.allclose(a[name], b[name], atol=2e-5, rtol=1e-3) for name in a)


@pytest.mark.parametrize(
    ("words", "averaging"),
    [
        (SPARSE, ("averaging=ema", "averaging.decay=0.8")),
        (("loss.precision=fp32",), ("averaging=swa", "averaging.start_epoch=1")),
    ],
    ids=["sparse and ema", "dense and swa"],
)
def test_two_processes_end_with_the_weights_of_one(small, tmp_path, monkeypatch, words, averaging) -> None:
    (tmp_path / "fixed_loss.py").write_text(FIXED)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("RESEARCH_TRUST", "fixed_loss")
    words = (*STEPS, *words)
    plain = run(small(*words))[1]
    record, one = run(small(*words, *averaging))
    two = train_in_two(small(), tmp_path, *words, *averaging)
    assert close(one, two)
    assert not close(plain, two), "the average is what is kept"
    curves = [pq.read_table(directory / "curves.parquet").to_pydict() for directory in (one, two)]
    assert curves[0]["val_ndcg@10"][-1] == pytest.approx(curves[1]["val_ndcg@10"][-1], abs=1e-3)
    for metric, value in json.loads((two / "record.json").read_text())["test"].items():
        assert value == pytest.approx(record["test"][metric], abs=2e-3), metric
