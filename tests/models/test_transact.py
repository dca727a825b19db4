"""TransAct for retrieval: torch's own layers over history and window, neurons over both; and what training hides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import HOUR, ITEMS, LATER, TIMES
from recomputed import linear
from states_by_hand import transformer

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, k: int, blocks: int, hidden: list[int] | None = None) -> np.ndarray:
    """Scores; ``hidden`` are the seconds before each row's requests of which the short side knows nothing."""
    w, scores = model.weights, []
    for b, (row, hours, later) in enumerate(zip(ITEMS, TIMES, LATER, strict=True)):
        moments = [*hours[1:], hours[-1] + later]
        for t in range(len(row)):
            long = transformer(model, "long", row[: t + 1], blocks)
            known = range(max(0, t + 1 - k), t + 1)
            if hidden is not None:
                known = [s for s in known if HOUR * (moments[t] - hours[s]) >= hidden[b]]
            short = transformer(model, "short", [row[s] for s in known], blocks) if known else np.zeros(6)
            neurons = np.maximum(linear(w, "fusion.inner", np.concatenate([long, short])), 0)
            scores.append(model.items_ID @ linear(w, "fusion.out", neurons))
    return np.stack(scores)


@pytest.mark.parametrize(("k", "blocks"), [(100, 1), (3, 2)])
def test_score(named, k: int, blocks: int) -> None:
    model = named("transact", f"window.k={k}", f"blocks={blocks}")
    np.testing.assert_allclose(model.scores(), expected(model, k, blocks), rtol=0, atol=1e-9)


def test_the_window_is_of_a_hundred_actions(named) -> None:
    assert named("transact").parts.model.window.k == 100


@pytest.mark.parametrize("seed", range(3))
def test_training_hides_a_random_time_before_each_request(named, seed: int) -> None:
    model = named("transact", "window.k=3", "recent_mask.hours=72")
    torch.manual_seed(seed)
    hidden = [int(draw * 72 * HOUR) for draw in torch.rand(len(ITEMS), 1).squeeze(1).tolist()]
    whole, rest = expected(model, 3, 1), expected(model, 3, 1, hidden)
    changed = np.abs(whole - rest).max(axis=1) > 1e-6
    assert changed.any() and not changed.all(), "else the draw says little"
    model.parts.model.train()
    torch.manual_seed(seed)
    np.testing.assert_allclose(model.scores(), rest, rtol=0, atol=1e-9)


def test_a_day_at_most_by_default(named) -> None:
    assert named("transact").parts.model.recent_mask.seconds == 24 * HOUR
