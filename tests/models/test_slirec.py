"""SLi-Rec from loops: attentive SVD, steps of a Time4LSTM, a gate asked for each candidate; its loss."""

from __future__ import annotations

import numpy as np
import pytest
from published import HOUR, ITEMS, LATER, TIMES
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, sigmoid, softmax
from states_by_hand import log_days, time4lstm

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, k: int | None = None) -> np.ndarray:
    """Scores; with ``k`` the short view is the last k items."""
    w, scores = model.weights, []
    for row, hours, later in zip(ITEMS, TIMES, LATER, strict=True):
        x_TD, seconds = embedded(model, row), [HOUR * hour for hour in hours]
        moments = [*seconds[1:], seconds[-1] + HOUR * later]
        for t in range(len(row)):
            keys = [np.tanh(linear(w, "long.key", x)) for x in x_TD[: t + 1]]
            weight = softmax(np.array([w["long.query.weight"][0] @ key for key in keys]))
            long = sum(a * x for a, x in zip(weight, x_TD, strict=False))
            first = 0 if k is None else max(0, t + 1 - k)
            short = time4lstm(w, "short", x_TD[first : t + 1], seconds[first : t + 1])[-1]
            away = log_days(moments[t] - seconds[t])
            known = linear(w, "fusion.gate.context", np.concatenate([long, short, [away]]))
            scores.append([])
            for item in model.items_ID:
                neurons = np.maximum(known + w["fusion.gate.candidate.weight"] @ item, 0)
                share = sigmoid(linear(w, "fusion.gate.out", neurons))[0]
                scores[-1].append((share * long + (1 - share) * short) @ item)
    return np.array(scores)


def test_score(named) -> None:
    model = named("slirec")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_score_with_a_window(named) -> None:
    """The paper's two views differ in their encoders alone; another window is a word away."""
    model = named("slirec", "window=last_k", "window.k=2")
    np.testing.assert_allclose(model.scores(), expected(model, 2), rtol=0, atol=1e-9)
    assert not np.allclose(expected(model, 2), expected(model))


def test_loss(named) -> None:
    """The right item's share among itself and four others; one that is the right item does not stand there twice."""
    model = named("slirec")
    drawn = [[1 + (n + 2 * k) % 9 for k in range(4)] for n in range(len(NEXT))]
    assert any(own in others for own, others in zip(NEXT, drawn, strict=True))
    scores, total = expected(model), 0.0
    for n, own, others in zip(FOLLOWED, NEXT, drawn, strict=True):
        candidates = np.exp([scores[n, own - 1], *(scores[n, other - 1] for other in others if other != own)])
        total -= np.log(candidates[0] / candidates.sum())
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-9)
    assert model.parts.loss.draw.source == "batch"
