"""Draws of negatives: which items come, how often, and the probability that is stated for each.

Shape legend: I items, K draws.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.losses.draw import Draw

pytestmark = pytest.mark.usefixtures("one_thread")

COUNT_I = torch.tensor([8, 0, 1, 27, 64])
TARGET_N = torch.tensor([3, 3, 4, 0])
N_DRAWS = 200_000


@pytest.mark.parametrize(
    ("source", "exponent", "expected_I"),
    [
        ("uniform", 1.0, [0.2, 0.2, 0.2, 0.2, 0.2]),
        ("popularity", 1.0, [0.08, 0.0, 0.01, 0.27, 0.64]),
        ("popularity", 1 / 3, [0.2, 0.0, 0.1, 0.3, 0.4]),
        ("popularity", 0.0, [0.25, 0.0, 0.25, 0.25, 0.25]),
        ("batch", 1.0, [0.25, 0.0, 0.0, 0.5, 0.25]),
    ],
)
def test_how_often_each_item_comes(source, exponent: float, expected_I: list[float]) -> None:
    torch.manual_seed(0)
    row_K = Draw(COUNT_I, source, exponent)((N_DRAWS,), TARGET_N)
    share_I = np.bincount(row_K.numpy(), minlength=5) / N_DRAWS
    # Four standard deviations of a share.
    tolerance_I = 4 * np.sqrt(np.array(expected_I) * (1 - np.array(expected_I)) / N_DRAWS)
    assert (np.abs(share_I - expected_I) <= tolerance_I).all(), "and exactly never where the probability is 0"


@pytest.mark.parametrize(
    ("source", "exponent", "expected_I"),
    [
        ("uniform", 1.0, [0.2, 0.2, 0.2, 0.2, 0.2]),
        ("popularity", 1 / 3, [0.2, 0.1, 0.1, 0.3, 0.4]),
        ("batch", 1 / 3, [0.08, 0.01, 0.01, 0.27, 0.64]),
    ],
)
def test_the_stated_probability(source, exponent: float, expected_I: list[float]) -> None:
    """Of a step's targets over the training data; an item that was never counted has the rarest item's."""
    log_q_I = Draw(COUNT_I, source, exponent).log_q(torch.arange(5))
    assert log_q_I.tolist() == pytest.approx(np.log(expected_I).tolist(), rel=1e-6)


def test_draws_follow_torchs_seed() -> None:
    for source in ("uniform", "popularity", "batch"):
        draw = Draw(COUNT_I, source, 0.5)
        torch.manual_seed(3)
        one = draw((50,), TARGET_N)
        torch.manual_seed(3)
        assert torch.equal(draw((50,), TARGET_N), one)
        assert not torch.equal(draw((50,), TARGET_N), one)


def test_the_last_item_of_a_large_catalogue_can_be_drawn() -> None:
    count_I = torch.zeros(2_000_000, dtype=torch.int64)
    count_I[-1] = 1
    assert set(Draw(count_I, "popularity", 0.75)((100,), TARGET_N).tolist()) == {1_999_999}


def test_it_leaves_nothing_in_a_checkpoint() -> None:
    assert not Draw(COUNT_I, "popularity", 1.0).state_dict()
