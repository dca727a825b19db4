"""An LSTM and a Transformer from torch's own layers with the same weights, and the gate between them."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import linear, sigmoid
from states_by_hand import lstm, transformer

pytestmark = pytest.mark.usefixtures("one_thread")


def states(model, k: int, blocks: int) -> list[tuple[np.ndarray, np.ndarray]]:
    places = [(row, t) for row in ITEMS for t in range(len(row))]
    return [
        (lstm(model, "long", row[: t + 1]), transformer(model, "short", row[max(0, t + 1 - k) : t + 1], blocks))
        for row, t in places
    ]


@pytest.mark.parametrize(("k", "blocks"), [(3, 1), (10, 2)])
def test_score(named, k: int, blocks: int) -> None:
    model, scores = named("lstm_transformer", f"window.k={k}", f"blocks={blocks}"), []
    for long, short in states(model, k, blocks):
        gate = sigmoid(linear(model.weights, "fusion.gate", np.concatenate([long, short])))
        scores.append(model.items_ID @ (gate * long + (1 - gate) * short))
    np.testing.assert_allclose(model.scores(), np.stack(scores), rtol=0, atol=1e-9)


def test_any_fusion_may_stand_between_them(named) -> None:
    model = named("lstm_transformer", "window.k=3", "fusion=sum")
    scores = [model.items_ID @ (long + short) for long, short in states(model, 3, 1)]
    np.testing.assert_allclose(model.scores(), np.stack(scores), rtol=0, atol=1e-9)
