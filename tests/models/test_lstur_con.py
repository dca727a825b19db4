"""LSTUR-con from a GRU of torch's beside the user's vector, hidden or not; its softmax over five."""

from __future__ import annotations

import numpy as np
import pytest
from news import clicked, read, recent, user
from recomputed import NEXT, POSITIONS, loss_of

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, hidden: bool = False) -> np.ndarray:
    mix = model.weights.get("fusion.mix.weight", model.weights.get("fusion.fusion.mix.weight"))
    both = [np.r_[user(model, b) * (not hidden), read(model, recent(b, t), np.zeros(6))] for b, t in POSITIONS]
    return np.stack([model.items_ID @ (mix @ beside) for beside in both])


def test_score(named) -> None:
    model = named("lstur_con")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-6)  # the short GRU runs in float32


def test_an_unknown_user_leaves_the_short_state(named) -> None:
    model = named("lstur_con", "branch_dropout.long=1")
    model.parts.model.train()
    np.testing.assert_allclose(model.scores(), expected(model, hidden=True), rtol=0, atol=1e-6)


def test_half_of_the_users_are_hidden_in_training(named) -> None:
    rates = named("lstur_con").parts.model.fusion.rates
    assert (rates.long, rates.short) == (0.5, 0.0)


def test_loss(named) -> None:
    model = named("lstur_con")
    drawn = [[1 + (n + 2 * k) % 9 for k in range(4)] for n in range(len(NEXT))]
    assert loss_of(model, drawn) == pytest.approx(clicked(expected(model), drawn), rel=1e-5)
