"""SDM: torch's cells and attention for the session, loops for what the user asks, and its sampled softmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, normed, sigmoid, softmax
from torch import nn

pytestmark = pytest.mark.usefixtures("one_thread")

GAP = 300
"""Minutes: on these rows more than ten, which would make a session of nearly every interaction."""
SESSION = [[0, 0, 2, 2, 2, 5, 5], [0, 0, 2], [0], [0, 0, 0, 3]]
"""Where the session of each interaction begins, from the hours by hand."""


def loaded(module: nn.Module, weights: dict[str, np.ndarray], prefix: str) -> nn.Module:
    state = {k.removeprefix(prefix): torch.from_numpy(v) for k, v in weights.items() if k.startswith(prefix)}
    module.double().load_state_dict(state)
    return module


def session_state(model, user: int, items: list[int], layers: int, heads: int) -> np.ndarray:
    """LSTM, residual from the second layer on; heads with a residual and a norm; then the user asks."""
    w, width = model.weights, 6
    attention = nn.MultiheadAttention(width, heads, batch_first=True).double()
    names = {"in_proj_": "qkv.", "out_proj.": "out."}
    attention.load_state_dict(
        {f"{a}{k}": torch.from_numpy(w[f"short.{b}{k}"]) for a, b in names.items() for k in ("weight", "bias")}
    )
    with torch.no_grad():
        h_1TD = torch.from_numpy(embedded(model, items))[None]
        for layer in range(layers):
            cell = loaded(nn.LSTM(width, width, batch_first=True), w, f"short.cells.{layer}.")
            h_1TD = cell(h_1TD)[0] + (h_1TD if layer else 0)
        later_TT = torch.ones(len(items), len(items), dtype=torch.bool).triu(1)
        h_1TD = h_1TD + attention(h_1TD, h_1TD, h_1TD, attn_mask=later_TT, need_weights=False)[0]
    z_TD = [normed(w, "short.norm", h) for h in h_1TD[0].numpy()]
    query = np.tanh(linear(w, "short.query", w["short.users.weight"][user] * width**0.5))
    share = softmax(np.array([query @ z / width**0.5 for z in z_TD]))
    return share @ np.stack(z_TD)


def older_state(model, user: int, items: list[int]) -> np.ndarray:
    """Attention by tanh(w . [user; item] + b), divided by the root of the width; then a tanh layer."""
    if not items:
        return np.zeros(6)
    w, x_LD = model.weights, embedded(model, items)
    of_user = linear(w, "long.of_user", w["long.users.weight"][user] * 6**0.5)[0]
    share = softmax(np.array([np.tanh(of_user + linear(w, "long.of_item", x)[0]) / 6**0.5 for x in x_LD]))
    return np.tanh(linear(w, "long.out", share @ x_LD))


def expected(model, layers: int = 1, heads: int = 1) -> np.ndarray:
    w, scores = model.weights, []
    for b, row in enumerate(ITEMS):
        for t, begin in enumerate(SESSION[b]):
            s = session_state(model, b, row[begin : t + 1], layers, heads)
            p = older_state(model, b, row[:begin])
            g = sigmoid(linear(w, "fusion.gate", np.concatenate([s, p, w["fusion.users.weight"][b]])))
            scores.append(model.items_ID @ (g * s + (1 - g) * p))
    return np.stack(scores)


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (2, 3)])
def test_score(named, layers: int, heads: int) -> None:
    model = named("sdm", f"window.gap={GAP}", f"layers={layers}", f"heads={heads}")
    np.testing.assert_allclose(model.scores(), expected(model, layers, heads), rtol=0, atol=1e-9)


def test_a_session_ends_after_ten_minutes(named) -> None:
    model = named("sdm")
    assert model.parts.model.window.gap == 10 and not model.parts.model.overlap


def test_loss(named) -> None:
    """Softmax over the right item and those drawn for the step, as TensorFlow's; uniform draws shift all alike."""
    model = named("sdm", f"window.gap={GAP}", "loss.negatives=4")
    drawn = [2, 9, 9, 6]
    scores, total = expected(model), 0.0
    for n, own in zip(FOLLOWED, NEXT, strict=True):
        others = [scores[n, other - 1] for other in drawn if other != own]
        total += np.log(np.exp([scores[n, own - 1], *others]).sum()) - scores[n, own - 1]
    assert loss_of(model, drawn) == pytest.approx(total, rel=1e-6)
