"""Batches against a plain loop, and which positions are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.data.batch import Positions, cut


@pytest.fixture
def histories(make_histories):
    return make_histories([1, 2, 3, 4, 5], [6], [7, 8, 9], times=[[10, 20, 30, 40, 50], [5], [1, 1, 2]])


class TestCut:
    def test_by_hand(self, histories) -> None:
        batch = cut(histories, np.array([0, 1, 2]), np.array([2, 5, 6]), np.array([5, 6, 8]))
        assert batch.users_B.tolist() == [0, 1, 2]
        assert batch.items_BT.tolist() == [[3, 4, 5], [6, 0, 0], [7, 8, 0]]
        assert batch.times_BT.tolist() == [[30, 40, 50], [5, 5, 5], [1, 1, 1]], "the last real time repeats"
        assert batch.length_B.tolist() == [3, 1, 2]

    def test_by_a_loop(self, simulated) -> None:
        random = np.random.default_rng(0)
        users = random.integers(simulated.n_users, size=50)
        start_B = np.array([random.integers(simulated.offsets[u], simulated.offsets[u + 1]) for u in users])
        stop_B = np.array(
            [random.integers(a + 1, simulated.offsets[u + 1] + 1) for a, u in zip(start_B, users, strict=True)]
        )
        batch = cut(simulated, users, start_B, stop_B)
        t = max(b - a for a, b in zip(start_B, stop_B, strict=True))
        assert batch.items_BT.shape == batch.times_BT.shape == (50, t)
        for row, (a, b) in enumerate(zip(start_B, stop_B, strict=True)):
            items, times = simulated.items[a:b].tolist(), simulated.times[a:b].tolist()
            assert batch.items_BT[row].tolist() == items + [0] * (t - len(items))
            assert batch.times_BT[row].tolist() == times + [times[-1]] * (t - len(times))
            assert batch.length_B[row] == len(items)
        for tensor in (batch.users_B, batch.items_BT, batch.times_BT, batch.length_B):
            assert tensor.dtype == torch.int64

    def test_a_row_may_be_empty_beside_others(self, histories) -> None:
        batch = cut(histories, np.array([0, 2]), np.array([0, 6]), np.array([0, 9]))
        assert batch.items_BT.tolist() == [[0, 0, 0], [7, 8, 9]]
        assert batch.length_B.tolist() == [0, 3]

    def test_the_batch_is_a_copy(self, histories) -> None:
        cut(histories, np.array([0]), np.array([0]), np.array([5])).items_BT.zero_()
        assert histories.items[:5].tolist() == [1, 2, 3, 4, 5]

    def test_moved_to_a_device_it_is_the_same(self, histories) -> None:
        batch = cut(histories, np.array([0]), np.array([0]), np.array([5])).to(torch.device("meta"))
        assert all(t.is_meta for t in (batch.users_B, batch.items_BT, batch.times_BT, batch.length_B))
        assert batch.items_BT.shape == (1, 5)


class TestPositions:
    def test_of_a_mask(self) -> None:
        mask_BT = torch.tensor([[False, True, True], [False, False, False], [True, False, False]])
        at = Positions.where(mask_BT)
        assert (at.row_N.tolist(), at.position_N.tolist()) == ([0, 0, 2], [1, 2, 0])
        assert len(at) == 3
        assert at.of(torch.arange(9).view(3, 3)).tolist() == [1, 2, 6]
        assert at.of(torch.arange(18).view(3, 3, 2)).tolist() == [[2, 3], [4, 5], [12, 13]]

    def test_last(self) -> None:
        at = Positions.last(torch.tensor([3, 1, 2]))
        assert (at.row_N.tolist(), at.position_N.tolist()) == ([0, 1, 2], [2, 0, 1])
