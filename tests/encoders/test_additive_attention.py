"""STAMP's memory and NARM's local encoder against plain loops; their blocks of rows against no blocks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from research.encoders import additive
from research.encoders.narm import Narm
from research.encoders.stamp import Stamp
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_stamp(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(Stamp(Sizes(6, 7)))
    w0, w1 = encoder.attention.out.weight[0], encoder.attention.key.weight
    w2, b, w3 = encoder.last.weight, encoder.last.bias, encoder.mean.weight

    def naive(x_LD, time_L, user):
        x_LD = x_LD * 6**0.5
        mean = sum(x_LD) / len(x_LD)
        return mean + sum((w0 @ torch.sigmoid(w1 @ x + w2 @ x_LD[-1] + w3 @ mean + b)) * x for x in x_LD)

    same_by_prefix(encoder, ragged, naive)


def test_narm(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(Narm(Sizes(6, 7)))
    step = nn.GRUCell(6, 6).double()
    step.load_state_dict({name.removesuffix("_l0"): weight for name, weight in encoder.cell.state_dict().items()})

    def naive(x_LD, time_L, user):
        h, states = torch.zeros(6, dtype=torch.float64), []
        for x in x_LD * 6**0.5:
            h = step(x, h)
            states.append(h)
        v, a1, a2 = encoder.attention.out.weight[0], encoder.query.weight, encoder.attention.key.weight
        return sum((v @ torch.sigmoid(a1 @ states[-1] + a2 @ state)) * state for state in states)

    same_by_prefix(encoder, ragged, naive)


def test_blocks_of_rows_change_nothing(ragged, shaken, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = shaken(Stamp(Sizes(6, 7)))
    found = []
    for block in (1, 2 * 7 * 7 * 6, 1 << 22):  # one row, two rows, all
        monkeypatch.setattr(additive, "BLOCK", block)
        encoder.zero_grad()
        h_BTD = encoder.encode(ragged)
        h_BTD[ragged.real_BT].square().sum().backward()
        found.append([h_BTD, *(weight.grad.clone() for weight in encoder.parameters())])
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])
