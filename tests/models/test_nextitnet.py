"""NextItNet from loops over layers, positions and taps, and the softmax over all items."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, normed

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, rounds: int = 2, blocks: int = 2, kernel: int = 3) -> np.ndarray:
    w, scores = model.weights, []
    for row in ITEMS:
        h_T = list(embedded(model, row))
        for i in range(rounds * blocks):
            dilation = 4 ** (i % blocks)
            inner = holed(w, f"long.blocks.{i}.0", h_T, kernel, dilation)
            inner = holed(w, f"long.blocks.{i}.1", inner, kernel, 2 * dilation)
            h_T = [h + z for h, z in zip(h_T, inner, strict=True)]
        scores += [model.items_ID @ linear(w, "long.out", h) for h in h_T]
    return np.stack(scores)


def holed(w, layer: str, h_T: list, kernel: int, dilation: int) -> list:
    out = []
    for t in range(len(h_T)):
        total = w[f"{layer}.conv.bias"].copy()
        for back in range(kernel):  # the last tap is the position itself
            if t - back * dilation >= 0:
                total += w[f"{layer}.conv.weight"][:, :, kernel - 1 - back] @ h_T[t - back * dilation]
        out.append(np.maximum(normed(w, f"{layer}.norm", total), 0))
    return out


@pytest.mark.parametrize(("rounds", "blocks", "kernel"), [(2, 2, 3), (1, 2, 2), (2, 1, 3)])
def test_score(named, rounds: int, blocks: int, kernel: int) -> None:
    model = named("nextitnet", f"long.rounds={rounds}", f"long.blocks={blocks}", f"long.kernel={kernel}")
    np.testing.assert_allclose(model.scores(), expected(model, rounds, blocks, kernel), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    model = named("nextitnet", "loss.precision=fp32")
    scores = expected(model)
    total = -sum(
        np.log(np.exp(scores[n, own - 1]) / np.exp(scores[n]).sum()) for n, own in zip(FOLLOWED, NEXT, strict=True)
    )
    assert loss_of(model) == pytest.approx(total, abs=1e-9)
