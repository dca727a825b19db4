"""ComiRec-SA from loops over interests and items, and its corrected softmax over negatives that a step shares."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, loss_of, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, interests: int = 4) -> np.ndarray:
    w, scores = model.weights, []
    for row in ITEMS:
        x_TD = embedded(model, row)
        hidden = [
            np.tanh(w["long.hidden.weight"] @ (x + p)) for x, p in zip(x_TD, w["long.positions.weight"], strict=False)
        ]
        for t in range(len(row)):
            found = []
            for k in range(interests):
                weight = softmax(np.array([w["long.score.weight"][k] @ h for h in hidden[: t + 1]]))
                found.append(sum(a * x for a, x in zip(weight, x_TD, strict=False)))
            scores.append([max(interest @ item for interest in found) for item in model.items_ID])
    return np.array(scores)


@pytest.mark.parametrize("interests", [4, 2])
def test_score(named, interests: int) -> None:
    model = named("comirec", f"long.interests={interests}")
    assert model.weights["long.hidden.weight"].shape == (24, 6)
    np.testing.assert_allclose(model.scores(), expected(model, interests), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """TensorFlow's sampled softmax: every score minus log(K q), q the item's share of what is trained on."""
    model = named("comirec", "loss.negatives=3")
    trained = [item for row in ITEMS for item in (row[:-2] if len(row) > 2 else row)]
    q = {item: max(trained.count(item), 1) / len(trained) for item in range(1, 10)}  # an unseen item is as the rarest
    drawn, scores, total = [1, 9, 5], expected(model), 0.0
    for n, own in zip(FOLLOWED, NEXT, strict=True):
        met = [own, *(other for other in drawn if other != own)]
        candidates = [np.exp(scores[n, item - 1] - np.log(3 * q[item])) for item in met]
        total -= np.log(candidates[0] / sum(candidates))
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-5)  # log q is kept in float32


def test_it_is_trained_with_ten_negatives_for_each_history_of_a_step(named) -> None:
    loss = named("comirec").parts.loss
    assert (loss.negatives, loss.shared, loss.draw.source) == (1280, True, "popularity")
