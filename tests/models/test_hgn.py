"""HGN's three terms, each by a loop over the group, and its pairwise loss."""

from __future__ import annotations

import numpy as np
import pytest
from published import ITEMS
from recomputed import FOLLOWED, NEXT, embedded, linear, loss_of, sigmoid

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, group: int = 5, item_item: bool = True) -> np.ndarray:
    """user . q + (sum_j g_j s'_j / sum_j g_j) . q + sum_j s_j . q"""
    w, scores = model.weights, []
    for b, row in enumerate(ITEMS):
        x_TD = embedded(model, row)
        user, of_gates = (w[name][b] * 6**0.5 for name in ("long.table.weight", "short.users.weight"))
        for t in range(len(row)):
            items = x_TD[max(0, t + 1 - group) : t + 1]
            above, below = np.zeros(6), 0.0
            for place, s in enumerate(items, start=group - len(items)):
                gated = s * sigmoid(linear(w, "short.feature", s) + linear(w, "short.feature_user", of_gates))
                gate = sigmoid(
                    w["short.instance.weight"][0] @ gated + w["short.instance_user.weight"][place] @ of_gates
                )
                above, below = above + gate * gated, below + gate
            terms = [[user @ q, above / below @ q, sum(s @ q for s in items) * item_item] for q in model.items_ID]
            scores.append([sum(three) for three in terms])
    return np.array(scores)


def test_score(named) -> None:
    model = named("hgn")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_score_of_its_ablation_without_the_item_item_term(named) -> None:
    model = named("hgn", "short.item_item=false", "short.items=2")
    np.testing.assert_allclose(model.scores(), expected(model, 2, item_item=False), rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """-log sigma(s+ - s-), a negative for each target."""
    model = named("hgn")
    drawn = [[1 + (5 * n) % 9] for n in range(len(NEXT))]
    scores, total = expected(model), 0.0
    for n, own, (other,) in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1] - scores[n, other - 1])) if other != own else 0.0
    assert loss_of(model, drawn) == pytest.approx(total, abs=1e-9)
