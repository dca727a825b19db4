"""NARM from torch's GRUs with the same weights and a loop over what is weighed; cross-entropy by its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, loss_of, sigmoid
from torch import nn

pytestmark = pytest.mark.usefixtures("one_thread")


def states(model, view: str, row: list[int]) -> np.ndarray:
    """Of a GRU with that view's weights over a row."""
    cell = nn.GRU(6, 6, batch_first=True).double()
    prefix = f"{view}.cell."
    cell.load_state_dict(
        {k.removeprefix(prefix): torch.from_numpy(v) for k, v in model.weights.items() if k.startswith(prefix)}
    )
    with torch.no_grad():
        return cell(torch.from_numpy(embedded(model, row))[None])[0][0].numpy()


def expected(model) -> np.ndarray:
    """a_tj = v . sigma(A1 h_t + A2 h_j), c_t = [sum_j a_tj h_j; h'_t], an item scores x^T B c_t."""
    w, scores = model.weights, []
    a1, a2 = w["long.query.weight"], w["long.attention.key.weight"]
    v, b = w["long.attention.out.weight"][0], w["fusion.mix.weight"]
    for row in ITEMS:
        local_TD, global_TD = states(model, "long", row), states(model, "short", row)
        for t in range(len(row)):
            weighed = sum((v @ sigmoid(a1 @ local_TD[t] + a2 @ local_TD[j])) * local_TD[j] for j in range(t + 1))
            scores.append([x @ b @ np.concatenate([weighed, global_TD[t]]) for x in model.items_ID])
    return np.array(scores)


def test_score(named) -> None:
    model = named("narm")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-6)  # the short GRU runs in float32


def test_loss(named) -> None:
    model = named("narm", "loss.precision=fp32")
    scores = expected(model)
    total = sum(np.log(np.exp(scores[n]).sum()) - scores[n, own - 1] for n, own in zip(FOLLOWED, NEXT, strict=True))
    assert loss_of(model) == pytest.approx(total, rel=1e-6)
