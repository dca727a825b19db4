"""The mask over the latest interactions: where windows end, by a loop, and by how often.

Shape legend: B rows, T positions, N asked positions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from research.data.batch import Positions
from research.errors import UserError
from research.windows.recent_mask import RecentMask

pytestmark = pytest.mark.usefixtures("one_thread")

HOUR = 3600


@pytest.fixture
def batch(make_batch):
    """Rows with ties, pauses of minutes and of days; the last item of each is asked for an hour later."""
    random = np.random.default_rng(2)
    times = [np.cumsum(random.choice([0, 300, HOUR, 10 * HOUR, 90 * HOUR], size=n)).tolist() for n in (30, 1, 12)]
    made = make_batch([[1] * len(row) for row in times], times)
    last_BT = torch.arange(30) == (made.length_B - 1)[:, None]
    return replace(made, now_BT=torch.where(last_BT, made.now_BT + HOUR, made.now_BT))


def every(batch) -> Positions:
    return Positions.where(batch.items_BT > 0)


def ends(batch, seed: int, hours: float = 24.0) -> torch.Tensor:
    torch.manual_seed(seed)
    return RecentMask(hours=hours)(batch, every(batch))


def test_by_a_loop(batch) -> None:
    at, some_hidden = every(batch), 0
    for seed in range(5):
        end_N = ends(batch, seed)
        torch.manual_seed(seed)
        hidden_B = [int(float(draw) * 24 * HOUR) for draw in torch.rand(3, 1)]
        for n, (b, t) in enumerate(zip(at.row_N.tolist(), at.position_N.tolist(), strict=True)):
            seen = [s for s in range(t + 1) if batch.times_BT[b, s] <= batch.now_BT[b, t] - hidden_B[b]]
            assert end_N[n] == (seen[-1] if seen else -1)
            some_hidden += end_N[n] < t
    assert some_hidden > 20


def test_later_requests_of_a_row_never_see_less(batch) -> None:
    at = every(batch)
    for seed in range(20):
        end_N = ends(batch, seed)
        assert (end_N <= at.position_N).all()
        assert (end_N.diff()[at.row_N.diff() == 0] >= 0).all()


def test_the_draw_is_uniform_up_to_the_hours(make_batch) -> None:
    """An interaction h hours before the request is hidden with probability 1 - h / 24."""
    n = 4000
    one = make_batch([[1]] * n, [[0]] * n)
    for hours in (0, 6, 18, 24):
        batch = replace(one, now_BT=torch.full((n, 1), hours * HOUR))
        hidden = (ends(batch, 3) < 0).double().mean()
        # Four standard errors of a share of 4000.
        assert hidden == pytest.approx(1 - hours / 24, abs=4 * 0.5 / n**0.5)


def test_a_seed_decides(batch) -> None:
    assert torch.equal(ends(batch, 1), ends(batch, 1)) and not torch.equal(ends(batch, 1), ends(batch, 2))


@pytest.mark.parametrize("hours", [0, -1.0])
def test_no_time_is_no_mask(hours: float) -> None:
    with pytest.raises(UserError, match=rf"recent_mask\.hours={hours}.*Try recent_mask\.hours=24"):
        RecentMask(hours=hours)


def test_what_is_exactly_as_old_as_the_draw_is_seen(make_batch, monkeypatch) -> None:
    batch = make_batch([[1, 1, 1]], [[0, 12 * HOUR, 12 * HOUR + 1]])
    batch = replace(batch, now_BT=torch.full((1, 3), 24 * HOUR))
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.full(shape, 0.5))  # twelve of 24 hours
    assert RecentMask(hours=24)(batch, every(batch)).tolist() == [0, 1, 1]
