"""Baselines against plain loops, and EASE against the constrained least squares that it solves in closed form."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from research.data.split import LeaveOneOut
from research.errors import UserError
from research.evaluation.baselines import ease
from research.evaluation.baselines.base import rank_baseline
from research.evaluation.baselines.ease import Ease
from research.evaluation.baselines.popularity import Popularity
from research.evaluation.baselines.recent_popularity import RecentPopularity

DAY = 86_400
USERS = ([1, 2, 3, 4, 5], [2, 3, 2, 1, 6], [2, 5, 4], [6, 2], [3])
TIMES = [
    [0, 1 * DAY, 2 * DAY, 3 * DAY, 9 * DAY],
    [1 * DAY, 2 * DAY, 2 * DAY, 4 * DAY, 5 * DAY],
    [3 * DAY, 3 * DAY, 8 * DAY],
    [2 * DAY, 8 * DAY],
    [0],
]
# Trained on: all but the last two of users with three or more, and all of the others.
TRAINED = [(u, i) for u, items in enumerate(USERS) for i in range(len(items) - 2 if len(items) >= 3 else len(items))]


@pytest.fixture
def histories(make_histories):
    return make_histories(*USERS, times=TIMES, n_items=7)


def scores(baseline, histories) -> np.ndarray:
    split = LeaveOneOut()(histories)
    baseline.fit(histories, split.train)
    return baseline.score(histories, split.test, np.array([2, 0, 1]))[[1, 2, 0]]


def test_training_positions_by_a_loop(histories) -> None:
    flat = [sum(len(items) for items in USERS[:u]) + i for u, i in TRAINED]
    assert LeaveOneOut()(histories).train.positions.tolist() == flat


def test_popularity_by_a_loop(histories) -> None:
    count = Counter(USERS[u][i] for u, i in TRAINED)
    assert count[2] == 5, "by eye: users 0, 1 twice, 2, 3"
    assert scores(Popularity(), histories).tolist() == [[count[i] for i in range(1, 8)]] * 3


@pytest.mark.parametrize("days", [1.0, 2.0, 2.5, 100.0])
def test_recent_popularity_by_a_loop(histories, days: float) -> None:
    got = scores(RecentPopularity(days=days), histories)
    for row, user in enumerate((0, 1, 2)):
        now = TIMES[user][-2]  # the last interaction that is known at the test query
        recent = Counter(USERS[u][i] for u, i in TRAINED if now - days * DAY < TIMES[u][i] <= now)
        assert got[row].tolist() == [recent[i] for i in range(1, 8)], (user, days)


def test_recent_popularity_does_not_look_ahead(histories) -> None:
    # User 2's last known item is on day 3; item 2 of user 3 on day 8 is later.
    assert scores(RecentPopularity(days=100), histories)[2][1] == scores(Popularity(), histories)[2][1] - 1


@pytest.mark.parametrize("l2", [0.5, 20.0])
def test_ease_solves_the_constrained_least_squares(histories, l2: float) -> None:
    x_UI = np.zeros((5, 7))
    for u, i in TRAINED:
        x_UI[u, USERS[u][i] - 1] = 1.0  # user 1 has item 2 twice
    weight_II = np.zeros((7, 7))
    for j in range(7):
        others = [i for i in range(7) if i != j]  # the diagonal is held at zero
        # Ridge regression as plain least squares over rows that are added for the penalty.
        left = np.vstack([x_UI[:, others], np.sqrt(l2) * np.eye(6)])
        weight_II[others, j] = np.linalg.lstsq(left, np.concatenate([x_UI[:, j], np.zeros(6)]), rcond=None)[0]
    known_BI = np.array([[float(i in USERS[u][:-1]) for i in range(1, 8)] for u in (0, 1, 2)])
    assert np.abs(weight_II).max() > 0.01
    np.testing.assert_allclose(scores(Ease(l2=l2), histories), known_BI @ weight_II, atol=1e-6)


@pytest.mark.parametrize(
    "baseline", [Popularity(), RecentPopularity(days=3), Ease(l2=1.0)], ids=["pop", "recent", "ease"]
)
def test_ranks_by_a_loop(histories, baseline) -> None:
    split = LeaveOneOut()(histories)
    ranks = rank_baseline(baseline, histories, split)
    score_QI = baseline.score(histories, split.test, np.arange(3))
    assert ranks.user.tolist() == [0, 1, 2] and ranks.target.tolist() == [5, 6, 4]
    for q, user in enumerate((0, 1, 2)):
        target, seen = USERS[user][-1], set(USERS[user][:-1])
        rivals = [i for i in range(1, 8) if i not in seen and i != target]
        assert ranks.better[q] == sum(score_QI[q, i - 1] > score_QI[q, target - 1] for i in rivals)
        assert ranks.ties[q] == sum(score_QI[q, i - 1] == score_QI[q, target - 1] for i in rivals)
        assert ranks.candidates[q] == len(rivals) + 1
        assert np.isnan(ranks.weight_long[q])


class TestErrors:
    def test_values_out_of_range(self) -> None:
        with pytest.raises(UserError, match=r"baseline\.days=0"):
            RecentPopularity(days=0)
        with pytest.raises(UserError, match=r"baseline\.l2=-1"):
            Ease(l2=-1)

    def test_recent_popularity_without_times(self, make_histories) -> None:
        histories = make_histories([1, 2, 3], has_times=False)
        with pytest.raises(UserError, match=r"recent_popularity needs times, but 'by hand'"):
            RecentPopularity().fit(histories, LeaveOneOut()(histories).train)

    def test_ease_with_too_many_items(self, histories, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ease, "LARGEST", 6)
        with pytest.raises(UserError, match=r"7 items are too many"):
            Ease().fit(histories, LeaveOneOut()(histories).train)
