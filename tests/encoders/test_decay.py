"""Means that forget, by count and by the clock, against hand-computed weights and plain loops."""

from __future__ import annotations

import math

import pytest
import torch

from research.encoders.decay import Decay
from research.encoders.rows import Rows
from research.encoders.time_decay import TimeDecay
from research.errors import UserError
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def mean_of(x_LD, weight_L) -> torch.Tensor:
    return sum(w * x for w, x in zip(weight_L, x_LD, strict=True)) / sum(weight_L) * 6**0.5  # type: ignore[return-value]


def test_by_count(ragged, same_by_prefix) -> None:
    def naive(x_LD, time_L, user):
        return mean_of(x_LD, [0.5 ** ((len(x_LD) - 1 - j) / 3) for j in range(len(x_LD))])

    encoder = Decay(Sizes(6, 7), half_life=3.0).double().eval()
    encoder.log_half_life.data.fill_(math.log(3.0))  # not rounded to float32
    same_by_prefix(encoder, ragged, naive)


def test_by_the_clock(ragged, same_by_prefix) -> None:
    encoder = TimeDecay(Sizes(6, 7), days=2.0).double().eval()
    encoder.log_half_life.data.fill_(math.log(2.0))  # not rounded to float32

    def naive(x_LD, time_L, user):
        return mean_of(x_LD, [0.5 ** (int(time_L[-1] - time) / 86_400 / 2) for time in time_L])

    same_by_prefix(encoder, ragged, naive)


def test_weights_by_hand() -> None:
    """With a half-life of one step three items weigh 1, 2 and 4 of 7."""
    x_1TD = torch.eye(3)[None] / 3**0.5
    got = Decay(Sizes(3), half_life=1.0).eval().encode(Rows(x_1TD, torch.tensor([3])))
    torch.testing.assert_close(got[0, 2], torch.tensor([1.0, 2, 4]) / 7)
    day = 86_400
    now = 1_700_000_000  # a float32 would be wrong by up to a minute
    times = torch.tensor([[now - 2 * day, now - day, now]])
    got = TimeDecay(Sizes(3), days=1.0).eval().encode(Rows(x_1TD, torch.tensor([3]), times))
    torch.testing.assert_close(got[0, 2], torch.tensor([1.0, 2, 4]) / 7)


def test_an_old_history_is_not_lost_to_underflow_or_overflow() -> None:
    """What is a million half-lives old weighs nothing, and what lies ahead does not overflow."""
    times = torch.tensor([[0, 10**6 * 86_400]])
    encoder = TimeDecay(Sizes(2), days=1.0).eval()
    x_1TD = torch.eye(2)[None].requires_grad_()
    got = encoder.encode(Rows(x_1TD, torch.tensor([2]), times))
    torch.testing.assert_close(got[0], torch.eye(2) * 2**0.5)
    got.sum().backward()
    assert x_1TD.grad is not None and torch.isfinite(x_1TD.grad).all()
    assert encoder.log_half_life.grad is not None and torch.isfinite(encoder.log_half_life.grad)


def test_the_half_life_is_learned() -> None:
    """Towards the oldest item a longer half-life is better."""
    encoder = Decay(Sizes(2), half_life=1.0)
    encoder.eval().encode(Rows(torch.eye(2)[None], torch.tensor([2])))[0, 1, 0].backward()
    assert encoder.log_half_life.grad is not None and encoder.log_half_life.grad > 0


def test_values_out_of_range() -> None:
    with pytest.raises(UserError, match=r"half_life=0"):
        Decay(Sizes(4), half_life=0)
    with pytest.raises(UserError, match=r"days=-1"):
        TimeDecay(Sizes(4), days=-1)
