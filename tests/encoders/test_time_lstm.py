"""Time4LSTM against one step at a time, written from the formulas."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from research.encoders.time_lstm import TimeLSTM, log_days
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")


def steps(encoder: TimeLSTM, x_LD, time_L, h):
    s, tanh = torch.sigmoid, torch.tanh
    c = torch.zeros_like(h)
    for t, x in enumerate(x_LD * 6**0.5):
        p = math.log(max(0.5, int(time_L[t] - time_L[max(0, t - 1)]) / 86_400))
        q = math.log(max(0.5, int(time_L[t] - time_L[0]) / 86_400))
        p_hidden = tanh(encoder.gap.weight[:, 0] * p + encoder.gap.bias)
        q_hidden = tanh(encoder.since.weight[:, 0] * q + encoder.since.bias)
        w1, v1 = encoder.gap_to.weight.split(6)
        w2, v2 = encoder.since_to.weight.split(6)
        names = ("i", "j", "f", "o", "P", "Q")
        weight = dict(zip(names, encoder.token.weight.split(6), strict=True))
        bias = dict(zip(names, encoder.token.bias.split(6), strict=True))
        state = dict(zip(names, encoder.state.weight.split(6), strict=False))
        z = {n: weight[n] @ x + bias[n] + (state[n] @ h if n in state else 0) for n in names}
        time_p, time_q = s(z["P"] + v1 @ p_hidden), s(z["Q"] + v2 @ q_hidden)
        c = s(z["f"] + 1) * time_q * c + s(z["i"]) * time_p * tanh(z["j"])
        h = s(z["o"] + w1 @ p_hidden + w2 @ q_hidden) * tanh(c)
    return h


def test_steps(ragged, shaken, same_by_prefix) -> None:
    encoder = shaken(TimeLSTM(Sizes(6, 7)))
    zero_D = torch.zeros(6, dtype=torch.float64)
    same_by_prefix(encoder, ragged, lambda x_LD, time_L, user: steps(encoder, x_LD, time_L, zero_D))


def test_it_begins_from_a_given_state(ragged, shaken) -> None:
    encoder = shaken(TimeLSTM(Sizes(6, 7)))
    initial_BD = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    got_BTD = encoder.encode(replace(ragged, initial_BD=initial_BD))
    expected_D = steps(encoder, ragged.x_BTD[0], ragged.times_BT[0], initial_BD[0])
    torch.testing.assert_close(got_BTD[0, -1], expected_D, rtol=0, atol=1e-9)


def test_half_a_day_is_the_least() -> None:
    got = log_days(torch.tensor([0, 43_200, 86_400, 864_000]))
    torch.testing.assert_close(got, torch.tensor([0.5, 0.5, 1, 10], dtype=torch.float64).log())
