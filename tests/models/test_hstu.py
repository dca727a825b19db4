"""HSTU from loops: gated attention without softmax that knows distances and times, scored by cosine over 0.05."""

from __future__ import annotations

import math

import numpy as np
import pytest
from published import HOUR, ITEMS, LATER, TIMES
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, norm, normed, silu

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, blocks: int, heads: int = 1, *, timed: bool = True) -> np.ndarray:
    w, scores = model.weights, []
    for row, hours, later in zip(ITEMS, TIMES, LATER, strict=True):
        h_T = list(embedded(model, row) + w["long.positions.weight"][: len(row)])
        for i in range(blocks):
            h_T = transduction(w, f"long.blocks.{i}", h_T, [*hours, hours[-1] + later] if timed else None, heads)
        for h in h_T:
            interest = normed(w, "long.norm", h)
            scores.append([cosine(interest, item) / 0.05 for item in model.items_ID])
    return np.array(scores)


def cosine(a, b) -> float:
    return a @ b / math.sqrt((a @ a) * (b @ b))


def transduction(w, block: str, x_T: list, hours: list[int] | None, heads: int) -> list:
    parts = [np.split(silu(linear(w, f"{block}.uvqk", norm(x))), 4) for x in x_T]
    out, e = [], len(x_T[0]) // heads
    for t, x in enumerate(x_T):
        u, _, q, _ = parts[t]
        heard = np.zeros_like(x)
        for s in range(t + 1):
            _, v, _, k = parts[s]
            bias = w[f"{block}.bias.position"][t - s]
            if hours is not None:
                seconds = max(1, HOUR * (hours[t + 1] - hours[s]))  # from the interaction that is asked for
                bias = bias + w[f"{block}.bias.time"][math.floor(math.log(seconds) / 0.301)]
            for own in range(heads):
                span = slice(own * e, own * e + e)
                heard[span] += silu(q[span] @ k[span] + bias) * v[span] / (t + 1)
        out.append(x + linear(w, f"{block}.out", norm(heard) * u))
    return out


@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 1), (2, 3)])
def test_score(named, blocks: int, heads: int) -> None:
    model = named("hstu", f"blocks={blocks}", f"heads={heads}")
    np.testing.assert_allclose(model.scores(), expected(model, blocks, heads), rtol=0, atol=1e-6)


def test_without_times(named) -> None:
    model = named("hstu", "encoder@long=hstu_order", "blocks=2")
    np.testing.assert_allclose(model.scores(), expected(model, 2, timed=False), rtol=0, atol=1e-6)


def test_loss(named) -> None:
    """-log of the right item's share among itself and the drawn ones, as in the authors' sampled_softmax.py."""
    model = named("hstu", "loss.negatives=3")
    drawn = [2, 9, 5]
    scores, total = expected(model, 1), 0.0
    for n, own in zip(FOLLOWED, NEXT, strict=True):
        candidates = np.exp([scores[n, own - 1], *(scores[n, other - 1] for other in drawn if other != own)])
        total -= np.log(candidates[0] / candidates.sum())
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-7)


def test_it_is_trained_with_128_uniform_negatives(named) -> None:
    loss = named("hstu").parts.loss
    assert (loss.negatives, loss.draw.source) == (128, "uniform")
