"""AttRec's two distances from loops over who asks and who is asked, and its hinge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, loss_of, softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, w: float = 0.2, items: int = 5) -> np.ndarray:
    """Minus the paper's y = w |u - v|^2 + (1 - w) |m - x|^2, which is small for what is liked."""
    project, scores = model.weights["short.project.weight"], []
    catalogue = model.items_ID * 6**0.5
    for b, row in enumerate(ITEMS):
        user = model.weights["long.table.weight"][b] * 6**0.5
        for t in range(len(row)):
            x = embedded(model, row)[max(0, t + 1 - items) : t + 1]
            asks = []
            for place in range(len(x)):
                angles = [place / 10_000 ** (2 * (i // 2) / 6) for i in range(6)]
                wave = [math.sin(a) if i % 2 == 0 else math.cos(a) for i, a in enumerate(angles)]
                asks.append(np.maximum(project @ (x[place] + wave), 0))
            m = np.zeros(6)
            for s in range(len(x)):
                share = softmax(np.array([asks[s] @ asks[r] / 6**0.5 for r in range(len(x))]))
                m += sum(share[r] * x[r] for r in range(len(x)) if r != s) / len(x)
            m = m if len(x) > 1 else x[0]
            scores.append([-w * ((user - v) ** 2).sum() - (1 - w) * ((m - v) ** 2).sum() for v in catalogue])
    return np.array(scores)


def test_score(named) -> None:
    model = named("attrec")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_score_of_another_weight_and_window(named) -> None:
    model = named("attrec", "fusion.long_share=0.5", "window.k=3")
    np.testing.assert_allclose(model.scores(), expected(model, 0.5, 3), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """max(0, y+ + 0.5 - y-): some pairs are near, some far enough apart."""
    model = named("attrec")
    drawn = [[1 + (5 * n) % 9] for n in range(len(NEXT))]
    pairs = zip(FOLLOWED, NEXT, drawn, strict=True)
    distances = -expected(model)
    hinges = [distances[n, own - 1] + 0.5 - distances[n, other - 1] for n, own, (other,) in pairs if other != own]
    assert min(hinges) < 0 < max(hinges)
    assert loss_of(model, drawn) == pytest.approx(sum(max(0.0, h) for h in hinges), abs=1e-9)
