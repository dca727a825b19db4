"""eSASRec from loops: attention and SwiGLU behind gates, and a softmax over the right item and the drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, normed, sigmoid, silu, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, blocks: int, heads: int = 1) -> np.ndarray:
    w, scores = model.weights, []
    for row in ITEMS:
        h_T = list(embedded(model, row) + w["long.positions.weight"][: len(row)])
        for i in range(blocks):
            h_T = ligr(w, f"long.blocks.{i}", h_T, heads)
        scores += [model.items_ID @ normed(w, "long.norm", h) for h in h_T]
    return np.stack(scores)


def ligr(w, block: str, x_T: list, heads: int) -> list:
    parts = [np.split(linear(w, f"{block}.qkv", normed(w, f"{block}.norm_attention", x)), 3) for x in x_T]
    out, e = [], len(x_T[0]) // heads
    for t, x in enumerate(x_T):
        heard = []
        for own in range(heads):
            span = slice(own * e, own * e + e)
            weight = softmax(np.array([parts[t][0][span] @ parts[s][1][span] / e**0.5 for s in range(t + 1)]))
            heard.append(sum(weight[s] * parts[s][2][span] for s in range(t + 1)))
        attended = linear(w, f"{block}.out", np.concatenate(heard))
        x = x + sigmoid(linear(w, f"{block}.gate_attention", x)) * attended
        n = normed(w, f"{block}.norm_inner", x)
        inner = silu(linear(w, f"{block}.inner", n)) * linear(w, f"{block}.beside", n)
        out.append(x + sigmoid(linear(w, f"{block}.gate_inner", x)) * linear(w, f"{block}.outer", inner))
    return out


@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 1), (2, 3)])
def test_score(named, blocks: int, heads: int) -> None:
    model = named("esasrec", f"blocks={blocks}", f"heads={heads}")
    assert model.weights["long.blocks.0.inner.weight"].shape == (24, 6), "four times the width"
    np.testing.assert_allclose(model.scores(), expected(model, blocks, heads), rtol=0, atol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
def test_loss(named, shared: bool) -> None:
    """Uncorrected: -log of the right item's share among itself and the drawn ones."""
    model = named("esasrec", "loss.negatives=3", f"loss.shared={shared}".lower())
    each = [[2, 9, 9] if shared else [1 + (n + 4 * k) % 9 for k in range(3)] for n in range(len(NEXT))]
    scores, total = expected(model, 1), 0.0
    for n, own, others in zip(FOLLOWED, NEXT, each, strict=True):
        candidates = np.exp([scores[n, own - 1], *(scores[n, other - 1] for other in others if other != own)])
        total -= np.log(candidates[0] / candidates.sum())
    assert any(own in others for own, others in zip(NEXT, each, strict=True))
    assert loss_of(model, each[0] if shared else each) == pytest.approx(total, abs=1e-9)


def test_it_is_trained_with_256_uniform_negatives(named) -> None:
    loss = named("esasrec").parts.loss
    assert (loss.negatives, loss.draw.source) == (256, "uniform")
