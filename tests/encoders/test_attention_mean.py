"""AttRec's short-term side against loops over who asks and who is asked; with and without keeping its attentions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from research.data.batch import Positions
from research.encoders import attention_mean
from research.encoders.attention_mean import AttentionMean, places
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_against_loops(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(AttentionMean(Sizes(6, 7)))

    def naive(x_LD, time_L, user):
        n, x = len(x_LD), x_LD * 6**0.5
        if n == 1:
            return x[0]
        asks = []
        for s in range(n):
            place = [(math.sin if i % 2 == 0 else math.cos)(s / 10_000 ** ((i - i % 2) / 6)) for i in range(6)]
            asks.append(torch.clamp(encoder.project.weight @ (x[s] + torch.tensor(place, dtype=x.dtype)), min=0))
        total = torch.zeros(6, dtype=torch.float64)
        for s in range(n):
            weights = [torch.exp(asks[s] @ asks[r] / 6**0.5) for r in range(n)]
            total = total + sum(weights[r] / sum(weights) * x[r] for r in range(n) if r != s)
        return total / n

    same_by_prefix(encoder, ragged, naive)


@pytest.mark.parametrize("width", [6, 7, 1])
def test_places_are_those_of_the_formula(width: int) -> None:
    got = places(5, width)
    assert got.shape == (5, width)
    for place in range(5):
        for i in range(width):
            angle = place / 10_000 ** (2 * (i // 2) / width)
            assert float(got[place, i]) == pytest.approx(math.sin(angle) if i % 2 == 0 else math.cos(angle), abs=1e-6)


def test_an_item_gives_its_weight_for_itself_away(ragged, shaken) -> None:
    """Two items see only each other: what each adds points along the other, and the sum is shorter than their mean."""
    encoder = shaken(AttentionMean(Sizes(6, 7)))
    with torch.no_grad():
        encoder.project.weight.zero_()  # equal logits: each gives itself a half, which is lost
    x_BTD = ragged.x_BTD * 6**0.5
    torch.testing.assert_close(encoder.encode(ragged)[0, 1], (x_BTD[0, 0] + x_BTD[0, 1]) / 4)


def test_computing_again_changes_nothing(ragged, shaken, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = shaken(AttentionMean(Sizes(6, 7)))
    found = []
    for kept in (0, 1 << 22):
        monkeypatch.setattr(attention_mean, "KEPT", kept)
        encoder.zero_grad()
        h_BTD = encoder.encode(ragged)
        h_BTD[ragged.real_BT].square().sum().backward()
        found.append([h_BTD, *(weight.grad.clone() for weight in encoder.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_of_one_state_a_row_are_finite_whatever_stands_behind_it(ragged, shaken) -> None:
    encoder = shaken(AttentionMean(Sizes(6, 7)))
    behind_BT1 = ~ragged.real_BT[:, :, None]
    rows = replace(ragged, x_BTD=ragged.x_BTD.masked_fill(behind_BT1, 1e150).requires_grad_())
    encoder(rows, Positions.last(rows.length_B)).square().sum().backward()
    grad_BTD = rows.x_BTD.grad
    assert torch.isfinite(grad_BTD).all() and not grad_BTD[behind_BT1.expand_as(grad_BTD)].any()
    assert torch.isfinite(encoder.project.weight.grad).all()
