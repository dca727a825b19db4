"""gSASRec: SASRec's score, and a loss whose yes is calibrated for how many negatives are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from recomputed import FOLLOWED, NEXT, loss_of, sigmoid, transformer_scores

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("blocks", [1, 2])
def test_score(named, blocks: int) -> None:
    model = named("gsasrec", f"blocks={blocks}")
    np.testing.assert_allclose(model.scores(), transformer_scores(model, blocks), rtol=0, atol=1e-9)


def test_it_is_trained_with_256_negatives_at_three_quarters(named) -> None:
    loss = named("gsasrec").parts.loss
    assert (loss.negatives, loss.draw.source) == (256, "uniform")
    assert loss.beta == 1, "256 negatives are more than the 9 items: nothing is left to calibrate"


@pytest.mark.parametrize("shared", [True, False])
def test_loss(named, shared: bool) -> None:
    """4 negatives of 8 other items: alpha = 1/2, and at t = 3/4 beta = 1/2 (3/4 (1 - 2) + 2) = 5/8."""
    model = named("gsasrec", "loss.negatives=4", f"loss.shared={shared}".lower())
    each = [[2, 9, 4, 4] if shared else [1 + (n + 2 * k) % 9 for k in range(4)] for n in range(len(NEXT))]
    scores, total = transformer_scores(model, 1), 0.0
    for n, own, others in zip(FOLLOWED, NEXT, each, strict=True):
        found = np.log(sigmoid(scores[n, own - 1]) ** (5 / 8))
        for other in others:
            if other != own:
                found += np.log(1 - sigmoid(scores[n, other - 1]))
        total -= found / 5
    assert any(own in others for own, others in zip(NEXT, each, strict=True))
    assert loss_of(model, each[0] if shared else each) == pytest.approx(total, abs=1e-9)
