"""ComiRec's interests against plain loops with their own softmax."""

from __future__ import annotations

import math

import pytest
import torch

from research.encoders.multi_interest import MultiInterest
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("interests", [1, 3])
def test_interests(ragged, shaken, same_by_prefix, interests: int) -> None:
    encoder = shaken(MultiInterest(Sizes(6, 7), interests=interests, inner=5))
    assert encoder.interests == interests

    def naive(x_LD, time_L, user):
        x_LD = x_LD * 6**0.5
        found = []
        for k in range(interests):
            e = []
            for j, x in enumerate(x_LD):
                hidden = torch.tanh(encoder.hidden.weight @ (x + encoder.positions.weight[j]))
                e.append(math.exp((encoder.score.weight[k] @ hidden).item()))
            found.append(sum(w * x for w, x in zip(e, x_LD, strict=True)) / sum(e))
        return torch.cat(found)

    same_by_prefix(encoder, ragged, naive)


def test_interests_differ(ragged, shaken) -> None:
    first, second = shaken(MultiInterest(Sizes(6, 7), interests=2)).encode(ragged)[0, -1].split(6)
    assert (first - second).abs().max() > 1e-3


def test_values_out_of_range() -> None:
    with pytest.raises(UserError, match=r"interests=0"):
        MultiInterest(Sizes(6), interests=0)
