"""The optimizer of large tables: its two parts are torch's own, rows that nobody looked up keep their bytes.

Shape legend: I items, D width.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import AdamW as TorchAdamW
from torch.optim import SparseAdam
from torch.optim.lr_scheduler import LambdaLR

from research.errors import UserError
from research.training.optimizer import AdamW
from research.training.touched import TouchedRows

pytestmark = pytest.mark.usefixtures("one_thread")


class Net(nn.Module):
    """A table with sparse gradients and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(20, 4, sparse=True)
        self.layer = nn.Linear(4, 3)

    def forward(self, step: int) -> torch.Tensor:
        return self.layer(self.table(torch.tensor([step, step, step + 3]))).square().sum()


def train(net: Net, optimizers: list, steps: range) -> None:
    for step in steps:
        for optimizer in optimizers:
            optimizer.zero_grad()
        net(step).backward()
        for optimizer in optimizers:
            optimizer.step()


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_it_is_torchs_two_optimizers() -> None:
    one, other = Net(), Net()
    train(one, [AdamW(lr=0.1, weight_decay=0.2)(one)], range(6))
    apart = [
        SparseAdam(other.table.parameters(), lr=0.1),
        TorchAdamW(other.layer.parameters(), lr=0.1, weight_decay=0.2, fused=True),
    ]
    train(other, apart, range(6))
    assert same(one, other) and not same(one, Net())


def test_rows_that_nobody_looked_up_keep_their_bytes() -> None:
    net, before = Net(), Net().table.weight.detach()
    train(net, [AdamW(lr=0.1, weight_decay=0.5)(net)], range(6))
    changed = {int(i) for i in (net.table.weight != before).any(1).nonzero()}
    assert changed == set(range(9))  # steps 0..5 look up the step and the step + 3


def test_a_model_without_sparse_tables_has_the_plain_optimizer() -> None:
    assert type(AdamW()(nn.Linear(2, 2))) is TorchAdamW


def test_it_continues_from_its_state() -> None:
    whole, broken = Net(), Net()
    train(whole, [AdamW(lr=0.1)(whole)], range(6))
    first = AdamW(lr=0.1)(broken)
    train(broken, [first], range(3))
    state = first.state_dict()
    again = AdamW(lr=0.7)(broken)  # the rate comes with the state
    again.load_state_dict(state)
    train(broken, [again], range(3, 6))
    assert same(whole, broken)


def test_a_schedule_reaches_both_parts_also_after_a_resume() -> None:
    net = Net()
    optimizer = AdamW(lr=0.1)(net)
    assert isinstance(optimizer, TouchedRows)
    for _ in range(2):
        scheduler = LambdaLR(optimizer, lambda step: 0.0)
        before = [p.detach().clone() for p in net.parameters()]
        train(net, [optimizer], range(2))
        assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)), "a rate of 0"
        assert [g["lr"] for part in optimizer.each for g in part.param_groups] == [0.0, 0.0]
        scheduler.step()
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        for group in optimizer.param_groups:
            group.pop("initial_lr")


def test_a_closure_is_called_once() -> None:
    net, calls = Net(), []
    optimizer = AdamW(lr=0.1)(net)

    def closure() -> float:
        calls.append(1)
        loss = net(1)
        loss.backward()
        return loss.item()

    with torch.no_grad():
        assert optimizer.step(closure) > 0  # type: ignore[call-overload]
    assert len(calls) == 1


def test_clipping_sparse_gradients_is_refused() -> None:
    with pytest.raises(UserError, match=r"optimizer\.clip=1.*items\.sparse=false"):
        AdamW(clip=1)(Net())


LARGE = r"""
import re, sys, torch
from pathlib import Path
from research.fusion.base import Fused
from research.items.ids import Ids
from research.losses.sampled_softmax import SampledSoftmax
from research.sizes import Sizes
from research.training.optimizer import AdamW

def peak() -> int:  # in KiB; getrusage would start from the peak of the process that started this one
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])

before = peak()
n_items = 1_000_000
torch.manual_seed(0)
items = Ids(Sizes(16, n_items=n_items), sparse=sys.argv[1] == "sparse")
layer = torch.nn.Linear(16, 16)
loss = SampledSoftmax(torch.ones(n_items, dtype=torch.int64), negatives=64)
model = torch.nn.ModuleList([items, layer])
optimizer = AdamW(lr=0.01)(model)
target = torch.randint(n_items, (200,))
values = []
for _ in range(8):
    optimizer.zero_grad()
    value = loss(Fused(layer(items(target)), None), (target + 1) % n_items, items)
    value.backward()
    optimizer.step()
    values.append(float(value.detach()))
assert values[-1] < values[0], values
print((peak() - before) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory of a process is read from /proc")
def test_a_million_items_train_in_the_memory_of_their_table() -> None:
    """The table and its two moments are 3 x 61 MiB; a dense gradient alone would be another 61, and more on the way."""
    grown = {}
    for kind in ("sparse", "dense"):
        result = subprocess.run([sys.executable, "-c", LARGE, kind], capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr[-2000:]
        grown[kind] = int(result.stdout)
    assert grown["sparse"] < 5 * 61, grown  # libraries and the counts of items take part of it
    assert grown["dense"] > grown["sparse"] + 61, "a dense gradient is as large as the table"


def test_a_dense_gradient_is_not_taken_for_a_sparse_one() -> None:
    net = Net()
    F.linear(torch.ones(1, 4), net.table.weight).sum().backward()
    with pytest.raises(RuntimeError, match="dense"):
        AdamW()(net).step()
