"""The mean against a plain sum."""

from __future__ import annotations

import pytest
import torch

from research.encoders.mean import Mean
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def test_it_is_the_mean_of_the_prefix(ragged, same_by_prefix) -> None:
    same_by_prefix(Mean(Sizes(6, 7)).eval(), ragged, lambda x_LD, *_: sum(x_LD) / len(x_LD) * 6**0.5)


def test_by_hand() -> None:
    x_1TD = torch.tensor([[[1.0, 0, 0, 0], [0, 3, 0, 0], [2, 0, 0, 9]]])
    got = Mean(Sizes(4)).eval().encode(Rows(x_1TD, torch.tensor([3])))  # scaled by sqrt(4)
    assert got.tolist() == [[[2, 0, 0, 0], [1, 3, 0, 0], [2, 2, 0, 6]]]


def test_a_rate_out_of_range() -> None:
    with pytest.raises(UserError, match=r"dropout=1"):
        Mean(Sizes(4), dropout=1)
