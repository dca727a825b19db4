"""Caser from loops over filters and places, beside the user's vector, and its loss with three negatives."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, items: int = 5, horizontal: int = 16, vertical: int = 4) -> np.ndarray:
    w, scores = model.weights, []
    for b, row in enumerate(ITEMS):
        x_TD = embedded(model, row)
        for t in range(len(row)):
            latest = list(x_TD[max(0, t + 1 - items) : t + 1])
            image = np.stack([np.zeros(6)] * (items - len(latest)) + latest)
            found = []
            for n in range(vertical):
                weight = w["short.vertical.weight"][n, 0, :, 0]
                found += [
                    sum(weight[j] * image[j, d] for j in range(items)) + w["short.vertical.bias"][n] for d in range(6)
                ]
            for height in range(1, items + 1):
                for n in range(horizontal):
                    weight = w[f"short.horizontal.{height - 1}.weight"][n]  # a column for each row of the filter
                    bias = w[f"short.horizontal.{height - 1}.bias"][n]
                    places = [
                        sum(weight[:, j] @ image[top + j] for j in range(height)) + bias
                        for top in range(items - height + 1)
                    ]
                    found.append(max(0.0, *places))
            z = np.maximum(linear(w, "short.out", np.array(found)), 0)
            user = w["long.table.weight"][b] * 6**0.5
            scores.append(model.items_ID @ (w["fusion.mix.weight"] @ np.concatenate([user, z])))
    return np.stack(scores)


def test_score(named) -> None:
    model = named("caser")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_score_of_other_sizes(named) -> None:
    model = named("caser", "short.items=3", "short.horizontal=2", "short.vertical=1")
    np.testing.assert_allclose(model.scores(), expected(model, 3, 2, 1), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """One yes and three noes at each position; their mean."""
    model = named("caser")
    drawn = [[1 + (n + 2 * k) % 9 for k in range(3)] for n in range(len(NEXT))]
    scores, total = expected(model), 0.0
    for n, own, others in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1]))
        total -= sum(np.log(1 - sigmoid(scores[n, other - 1])) for other in others if other != own)
    assert loss_of(model, drawn) == pytest.approx(total / 4, abs=1e-9)
