"""STAMP from loops over the session and over the dimensions of its product of three; cross-entropy by its formula."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model) -> np.ndarray:
    w, scores = model.weights, []
    w0, w1 = w["long.attention.out.weight"][0], w["long.attention.key.weight"]
    w2, b, w3 = w["long.last.weight"], w["long.last.bias"], w["long.mean.weight"]
    for row in ITEMS:
        x_TD = embedded(model, row)
        for t in range(len(row)):
            last, mean = x_TD[t], sum(x_TD[: t + 1]) / (t + 1)
            attended = sum((w0 @ sigmoid(w1 @ x + w2 @ last + w3 @ mean + b)) * x for x in x_TD[: t + 1])
            h_s = np.tanh(linear(w, "fusion.of_long", attended + mean))
            h_t = np.tanh(linear(w, "fusion.of_short", last))
            scores.append([sum(h_s[d] * h_t[d] * x[d] for d in range(6)) for x in model.items_ID])
    return np.array(scores)


def test_score(named) -> None:
    model = named("stamp")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_a_sigmoid_around_the_score_would_rank_alike(named) -> None:
    """What the configuration says of its departure."""
    scores = expected(named("stamp"))
    np.testing.assert_array_equal(np.argsort(scores, axis=1), np.argsort(sigmoid(scores), axis=1))


def test_loss(named) -> None:
    model = named("stamp", "loss.precision=fp32")
    scores = expected(model)
    total = sum(np.log(np.exp(scores[n]).sum()) - scores[n, own - 1] for n, own in zip(FOLLOWED, NEXT, strict=True))
    assert loss_of(model) == pytest.approx(total, rel=1e-9)
