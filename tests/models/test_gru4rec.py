"""GRU4Rec from its gates in a loop, and BPR-max from its formula."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, loss_of, sigmoid, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, layers: int = 1, view: str = "long", rows: list[list[int]] = ITEMS) -> np.ndarray:
    w, scores = model.weights, []
    for row in rows:
        x_T = list(embedded(model, row))
        for layer in range(layers):
            into, back, b_into, b_back = (
                w[f"{view}.cell.{kind}_l{layer}"] for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h, out = np.zeros(6), []
            for x in x_T:
                xr, xz, xn = np.split(into @ x + b_into, 3)
                hr, hz, hn = np.split(back @ h + b_back, 3)
                z = sigmoid(xz + hz)  # torch's gate keeps where the paper's renews
                h = (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h
                out.append(h)
            x_T = out
        scores += [model.items_ID @ h for h in x_T]
    return np.stack(scores)


@pytest.mark.parametrize("layers", [1, 2])
def test_score(named, layers: int) -> None:
    model = named("gru4rec", f"layers={layers}")
    np.testing.assert_allclose(model.scores(), expected(model, layers), rtol=0, atol=1e-9)


def test_sessions_of_a_long_history_begin_anew(named) -> None:
    """A pause of more than five hours parts them: by hand, from the hours of the rows."""
    model = named("gru4rec", "fusion=short_only", "window=session", f"window.gap={5 * 60}")
    sessions = [[3, 1], [4, 1, 5], [9, 2], [6, 5], [3], [8], [7, 9, 3], [2]]
    got = model.scores()
    np.testing.assert_allclose(got, expected(model, view="short", rows=sessions), rtol=0, atol=1e-6)


def test_loss(named) -> None:
    """-log sum_j p_j sigma(s+ - s_j) + sum_j p_j s_j^2 over the drawn items, without the right one."""
    model = named("gru4rec", "loss.negatives=4")
    drawn = [2, 9, 9, 6]
    scores, total = expected(model), 0.0
    for n, own in zip(FOLLOWED, NEXT, strict=True):
        others = np.array([scores[n, other - 1] for other in drawn if other != own])
        p = softmax(others)
        total += (p * others**2).sum() - np.log((p * sigmoid(scores[n, own - 1] - others)).sum())
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-9)


def test_it_is_trained_with_2048_negatives_by_popularity(named) -> None:
    """In proportion to the root of an item's count in training, which leaves the last two of each history out."""
    loss = named("gru4rec").parts.loss
    assert (loss.negatives, loss.draw.source, loss.regularization) == (2048, "popularity", 1.0)
    share = loss.draw.share_I.numpy()
    assert share.sum() == pytest.approx(1)
    assert share[0] / share[2] == pytest.approx(2**0.5), "item 1 occurs twice there, item 3 once"
