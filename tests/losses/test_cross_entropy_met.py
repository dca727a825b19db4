"""The softmax over the items of training: by a loop, and what it leaves alone."""

from __future__ import annotations

import math

import pytest
import torch

from research.errors import UserError
from research.fusion.base import Fused
from research.items.ids import Ids
from research.losses.cross_entropy import CrossEntropy
from research.losses.cross_entropy_met import CrossEntropyMet
from research.sizes import Sizes

COUNT_I = torch.tensor([3, 0, 1, 2, 0, 5, 1])
MET = [0, 2, 3, 5, 6]
TARGET_N = torch.tensor([5, 0, 6, 3, 5])


@pytest.fixture
def items() -> Ids:
    torch.manual_seed(1)
    return Ids(Sizes(4, n_items=len(COUNT_I)), std=1.0).double()


@pytest.fixture
def h_ND() -> torch.Tensor:
    return torch.randn(len(TARGET_N), 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("kernel", ["portable", "fused"])
def test_a_plain_loop_over_the_items_of_training(items: Ids, h_ND, kernel) -> None:
    loss = CrossEntropyMet(COUNT_I, kernel=kernel, precision="fp32", chunk=2)
    table = items.candidates().tolist()
    expected = 0.0
    for h, target in zip(h_ND.tolist(), TARGET_N.tolist(), strict=True):
        score = {i: sum(a * b for a, b in zip(h, table[i], strict=True)) for i in MET}
        expected -= score[target] - math.log(sum(math.exp(s) for s in score.values()))
    assert loss(Fused(h_ND, None), TARGET_N, items).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("kernel", ["portable", "fused"])
def test_an_item_that_training_never_met_is_nobodys_wrong_answer(items: Ids, h_ND, kernel) -> None:
    for kind, met in ((CrossEntropyMet, False), (CrossEntropy, True)):
        items.zero_grad()
        kind(COUNT_I, kernel=kernel, precision="fp32")(Fused(h_ND, None), TARGET_N, items).backward()
        grad_VD = items.table.weight.grad
        assert grad_VD is not None
        assert [bool(grad_VD[row + 1].any()) for row in (1, 4)] == [met, met]
        assert all(grad_VD[row + 1].any() for row in MET)


def test_where_training_met_all_it_is_the_usual_loss(items: Ids, h_ND) -> None:
    ones_I = torch.ones(len(COUNT_I))
    usual, ours = (kind(ones_I, precision="fp32") for kind in (CrossEntropy, CrossEntropyMet))
    h_ND.requires_grad_()
    found = []
    for loss in (usual, ours):
        h_ND.grad = None
        items.zero_grad()
        value = loss(Fused(h_ND, None), TARGET_N, items)
        value.backward()
        found.append((value.detach(), h_ND.grad.clone(), items.table.weight.grad.clone()))  # type: ignore[union-attr]
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)


def test_the_table_is_no_part_of_the_loss(items: Ids, h_ND) -> None:
    loss = CrossEntropyMet(COUNT_I)
    loss(Fused(h_ND.float(), None), TARGET_N, items.float())
    assert not list(loss.parameters()) and not loss.state_dict()


def test_training_met_something() -> None:
    with pytest.raises(UserError, match="training met no item"):
        CrossEntropyMet(torch.zeros(3))
