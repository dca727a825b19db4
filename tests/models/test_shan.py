"""SHAN from both attentions in loops, with days read off the hours by hand, and its pairwise loss."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, sigmoid, softmax

pytestmark = pytest.mark.usefixtures("one_thread")

TODAY = [[0, 0, 2, 2, 2, 5, 5], [0, 0, 2], [0], [0, 0, 0, 3]]
"""Where the day of each interaction begins, by hand: hours 0 and 1, 30 to 32, 90 and 91; then 5 and 6, 200."""


def attended(w: dict, name: str, user: np.ndarray, met: list[np.ndarray]) -> np.ndarray:
    share = softmax(np.array([user @ np.maximum(linear(w, name, x), 0) for x in met]))
    return share @ np.stack(met)


def expected(model, begins: list[list[int]] = TODAY) -> np.ndarray:
    w, scores = model.weights, []
    for b, row in enumerate(ITEMS):
        x_TD, user = list(embedded(model, row)), w["short.table.weight"][b] * 6**0.5
        for t, begin in enumerate(begins[b]):
            long = attended(w, "fusion.before", user, x_TD[:begin]) if begin else np.zeros(6)
            scores.append(model.items_ID @ attended(w, "fusion.among", user, [long, *x_TD[begin : t + 1]]))
    return np.stack(scores)


def test_score(named) -> None:
    model = named("shan")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_score_where_the_last_two_are_short_term(named) -> None:
    """As in RecBole, for data without times."""
    model = named("shan", "window=last_k", "window.k=2")
    begins = [[max(0, t - 1) for t in range(len(row))] for row in ITEMS]
    np.testing.assert_allclose(model.scores(), expected(model, begins), rtol=0, atol=1e-9)


def test_one_vector_of_the_user_asks_twice(named) -> None:
    tables = [name for name in named("shan").weights if "table" in name]
    assert tables == ["items.table.weight", "short.table.weight"]


def test_loss(named) -> None:
    """-log sigma(s+ - s-) for one drawn item a position."""
    model = named("shan")
    drawn = [[1 + (3 * n) % 9] for n in range(len(NEXT))]
    scores, total = expected(model), 0.0
    for n, own, (other,) in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1] - scores[n, other - 1])) if other != own else 0.0
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-9)
