"""Schedules: the rate of every step by hand, and on torch's own optimizer."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from research.errors import UserError
from research.training.schedule import Constant, Cosine, Linear, Schedule


def rates(schedule: Schedule, steps: int, steps_of_epoch: int = 5, max_epochs: int = 2) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    scheduler = schedule(optimizer, steps_of_epoch, max_epochs)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_constant() -> None:
    assert rates(Constant(), 4) == [0.8] * 4
    assert rates(Constant(warmup_steps=3), 6) == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_linear() -> None:
    # Ten steps, of which two warm up: the fall takes seven steps from the third to the last.
    expected = [0.8 / 3, 1.6 / 3, *(0.8 * (1 - i / 7) for i in range(8)), 0, 0]
    assert rates(Linear(warmup_steps=2), 12) == pytest.approx(expected)
    expected = [0.8 * (1 - 0.75 * i / 9) for i in range(10)]
    assert rates(Linear(final=0.25), 10) == pytest.approx(expected)


def test_cosine() -> None:
    expected = [0.8 * (0.1 + 0.9 * (1 + math.cos(math.pi * i / 9)) / 2) for i in range(10)]
    assert rates(Cosine(final=0.1), 12) == pytest.approx([*expected, 0.08, 0.08])


def test_cosine_is_torchs() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
    scheduler, expected = CosineAnnealingLR(optimizer, T_max=9), []
    for _ in range(10):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates(Cosine(), 10) == pytest.approx(expected)


def test_an_end_before_the_budget() -> None:
    assert rates(Linear(epochs=1), 10) == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.0, 0, 0, 0, 0, 0])


def test_a_warm_up_longer_than_the_run() -> None:
    assert rates(Linear(warmup_steps=100), 10) == pytest.approx([0.8 * (i + 1) / 101 for i in range(10)])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Constant(warmup_steps=-1), "warmup_steps=-1"),
        (lambda: Linear(final=1.5), "final=1.5"),
        (lambda: Cosine(epochs=0), "epochs=0"),
    ],
)
def test_wrong_settings(build, message: str) -> None:
    with pytest.raises(UserError, match=rf"schedule\.{message}"):
        build()
