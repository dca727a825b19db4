"""SASRec's score from torch's own layers with the same weights, and its binary loss from drawn negatives by a loop."""

from __future__ import annotations

import numpy as np
import pytest
from recomputed import FOLLOWED, NEXT, loss_of, sigmoid, transformer_scores

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("blocks", "heads"), [(1, 1), (2, 1), (2, 3)])
def test_score(named, blocks: int, heads: int) -> None:
    model = named("sasrec", f"blocks={blocks}", f"heads={heads}")
    expected = transformer_scores(model, blocks, heads)
    np.testing.assert_allclose(model.scores(), expected, rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """Equation 6, halved: one yes and one no at each position; a negative that is the right item says nothing."""
    model = named("sasrec")
    drawn = [[1 + (3 * n) % 9] for n in range(len(NEXT))]
    assert any(other == own for (other,), own in zip(drawn, NEXT, strict=True))
    scores, total = transformer_scores(model, 1), 0.0
    for n, own, (other,) in zip(FOLLOWED, NEXT, drawn, strict=True):
        total -= np.log(sigmoid(scores[n, own - 1]))
        if other != own:
            total -= np.log(1 - sigmoid(scores[n, other - 1]))
    assert loss_of(model, drawn) == pytest.approx(total / 2, abs=1e-9)
    assert model.parts.loss.negatives == 1 and model.parts.loss.draw.source == "uniform"
