"""LSTUR-ini from a GRU of torch's that begins from the user's vector, hidden or not; its softmax over five."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from news import clicked, read, recent, user
from published import ITEMS
from recomputed import NEXT, POSITIONS, loss_of

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(model, hidden: bool = False) -> np.ndarray:
    starts = [user(model, b) * (not hidden) for b in range(len(ITEMS))]
    return np.stack([model.items_ID @ read(model, recent(b, t), starts[b]) for b, t in POSITIONS])


def test_the_window_cuts_something_off() -> None:
    assert any(len(recent(b, t)) < t + 1 for b, t in POSITIONS) and recent(1, 2) == [3]


def test_score(named) -> None:
    model = named("lstur_ini")
    np.testing.assert_allclose(model.scores(), expected(model), rtol=0, atol=1e-9)


def test_an_unknown_user_begins_from_zero(named) -> None:
    """What training prepares for in half of the histories: here in all."""
    model = named("lstur_ini", "branch_dropout.long=1")
    model.parts.model.train()
    np.testing.assert_allclose(model.scores(), expected(model, hidden=True), rtol=0, atol=1e-9)


def test_in_training_half_of_the_users_are_hidden(named) -> None:
    model = named("lstur_ini")
    known, unknown = expected(model), expected(model, hidden=True)
    model.parts.model.train()
    torch.manual_seed(0)
    found = []
    for _ in range(100):
        got = model.scores()
        for b in range(len(ITEMS)):
            rows = [n for n, (row, _) in enumerate(POSITIONS) if row == b]
            hidden = np.allclose(got[rows], unknown[rows], rtol=0, atol=1e-9)
            assert hidden or np.allclose(got[rows], known[rows], rtol=0, atol=1e-9), "a history is hidden as a whole"
            found.append(hidden)
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_loss(named) -> None:
    model = named("lstur_ini")
    drawn = [[1 + (n + 2 * k) % 9 for k in range(4)] for n in range(len(NEXT))]
    assert loss_of(model, drawn) == pytest.approx(clicked(expected(model), drawn), rel=1e-9)
