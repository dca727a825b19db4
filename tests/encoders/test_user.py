"""The static user vector."""

from __future__ import annotations

import pytest
import torch

from research.data.batch import Positions
from research.encoders.user import User
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_it_is_the_row_of_the_table(ragged, same_by_prefix) -> None:
    encoder = User(Sizes(6, 7, n_users=3)).double().eval()
    same_by_prefix(encoder, ragged, lambda x_LD, time_L, user: encoder.table.weight[user] * 6**0.5)
    at = Positions(torch.tensor([0, 0, 2]), torch.tensor([1, 5, 2]))
    short_ND = encoder(ragged, at, torch.tensor([1, 3, 0]))
    torch.testing.assert_close(short_ND, encoder.table.weight[[2, 2, 1]] * 6**0.5)


def test_only_the_users_of_the_batch_are_taught(ragged) -> None:
    encoder = User(Sizes(6, 7, n_users=5)).double().eval()
    encoder.encode(ragged).sum().backward()
    assert encoder.table.weight.grad is not None
    assert encoder.table.weight.grad.any(1).tolist() == [True, True, True, False, False]
