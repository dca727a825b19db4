"""FISSA: torch's own layers for the local side, loops for the global one and the gate, and its binary loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, normed, sigmoid, softmax, torch_layer

pytestmark = pytest.mark.usefixtures("one_thread")


def local(model, row: list[int], blocks: int, heads: int) -> np.ndarray:
    """SASRec over a row."""
    w = model.weights
    h_1TD = torch.from_numpy(embedded(model, row) + w["short.positions.weight"][: len(row)])[None]
    for i in range(blocks):
        layer = torch_layer(w, f"short.blocks.{i}", heads, "relu")
        with torch.no_grad():
            h_1TD = layer(h_1TD, src_mask=torch.ones(len(row), len(row), dtype=torch.bool).triu(1))
    return np.stack([normed(w, "short.norm", h) for h in h_1TD[0].numpy()])


def everybodys(model, x_LD: np.ndarray, heads: int) -> np.ndarray:
    """The global state of the items that are seen."""
    w, e = model.weights, 6 // heads
    answers = []
    for h in range(heads):
        part = slice(h * e, (h + 1) * e)
        share = softmax(np.array([w["long.query"][h] @ linear(w, "long.key", x)[part] for x in x_LD]))
        answers.append(sum(a * linear(w, "long.value", x)[part] for a, x in zip(share, x_LD, strict=True)))
    y = normed(w, "long.norm_attention", np.concatenate(answers))
    return normed(w, "long.norm_inner", y + linear(w, "long.outer", np.maximum(linear(w, "long.inner", y), 0)))


def expected(model, blocks: int = 1, heads: int = 1) -> np.ndarray:
    """g = sigma(W [global; last item; candidate] + b), and norm(g local + (1 - g) global) meets the candidate."""
    w, scores = model.weights, []
    for row in ITEMS:
        x_TD, local_TD = embedded(model, row), local(model, row, blocks, heads)
        for t in range(len(row)):
            overall, of_row = everybodys(model, x_TD[: t + 1], heads), []
            for x in model.items_ID:
                known = linear(w, "fusion.gate", np.concatenate([overall, x_TD[t]]))[0]
                g = sigmoid(known + w["fusion.read.weight"][0] @ (x * 6**0.5))
                of_row.append(x @ normed(w, "fusion.norm", g * local_TD[t] + (1 - g) * overall))
            scores.append(of_row)
    return np.array(scores)


@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 3)])
def test_score(named, blocks: int, heads: int) -> None:
    model = named("fissa", f"blocks={blocks}", f"heads={heads}")
    np.testing.assert_allclose(model.scores(), expected(model, blocks, heads), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """One yes and one no at each position, halved."""
    model = named("fissa")
    drawn = [[1 + (3 * n) % 9] for n in range(len(NEXT))]
    scores, total = expected(model), 0.0
    for n, own, (other,) in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1]))
        total -= np.log(1 - sigmoid(scores[n, other - 1])) if other != own else 0.0
    assert loss_of(model, drawn) == pytest.approx(total / 2, abs=1e-9)
