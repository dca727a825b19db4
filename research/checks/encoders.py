"""What every encoder promises, tried on a class: causality, windows that nothing leaks into, padding and company.

A promise is a function of whatever makes the encoder, ``make(sizes, **settings)``: its class, or a ``partial`` of it.
It raises an AssertionError that says what was broken. The tests of this package try these on every encoder and window;
``check_encoder`` is for an encoder that lives elsewhere.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from research.checks.expect import expect
from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.schema import settings_of
from research.sizes import Sizes
from research.windows.days import Days
from research.windows.last_k import LastK
from research.windows.session import Session

T, D = 11, 8
SIZES = Sizes(D, T, n_items=5, n_users=4)
LENGTHS = (T, 4, 8, 1)
PAUSES = (0, 60, 60, 90_000, 0, 60, 4000, 60, 60, 200_000, 60)
"""Seconds before each interaction: sessions and days of different lengths."""
ASKED = 7000
"""Seconds from the last of them to the moment for which is asked there."""

Make = Callable[..., Encoder]
Starts = Callable[[Batch, Positions], Tensor]
"""A window."""


def check_encoder(make: Make) -> None:
    """Try every promise, the windowed ones over the last 3 items, sessions and days.

    Args:
        make: the encoder's class, or a partial of it with some of its settings.

    Raises:
        AssertionError: a promise was broken.
    """
    for promise in PROMISES:
        promise(make)
    for windowed in PROMISES_OF_WINDOWS:
        for window in (LastK(k=3), Session(gap=30), Days(days=1)):
            windowed(make, window)


def made(make: Make, **settings: object) -> Encoder:
    """The encoder as a test sees it: same weights every time, no dropout."""
    torch.manual_seed(0)
    return make(SIZES, **settings).eval()


def vectors(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    """Random numbers, the same for the same seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rows_of(x_BTD: Tensor, length_B: Tensor, user: int = 0, start: int = 0) -> Rows:
    """Rows of the users from ``user`` on, with the times of the positions from ``start`` on."""
    b, t = x_BTD.shape[:2]
    step_T = torch.arange(start, start + t)
    time_T = torch.tensor([*PAUSES, ASKED]).cumsum(0)
    last_B1 = (start + length_B - 1)[:, None]
    times_BT, now_BT = time_T[torch.minimum(step_T, last_B1)], time_T[torch.minimum(step_T, last_B1) + 1]
    return Rows(x_BTD, length_B, times_BT, torch.arange(user, user + b), now_BT=now_BT)


def rows_as_batch() -> Batch:
    """Four rows of different lengths, as a window reads them."""
    length_B = torch.tensor(LENGTHS)
    step_T = torch.arange(T)
    times_BT = torch.tensor(PAUSES).cumsum(0)[torch.minimum(step_T, length_B[:, None] - 1)]
    items_BT = (step_T < length_B[:, None]).long()
    now_BT = torch.cat([times_BT[:, 1:], times_BT[:, -1:]], dim=1)
    return Batch(torch.arange(len(LENGTHS)), items_BT, times_BT, now_BT, length_B)


def everywhere(length_B: Tensor) -> Positions:
    """All real positions."""
    return Positions.where(torch.arange(int(length_B.max())) < length_B[:, None])


def reach_of(encoder: Encoder) -> int:
    """How many of the latest items a state depends on; on these rows nothing reaches further than T."""
    return T if encoder.reach is None else encoder.reach


def a_later_item_never_changes_an_earlier_state(make: Make) -> None:
    """One item is changed; the states that move are those that may read it, and all of them do."""
    encoder, x_BTD, length_B = made(make).double(), vectors(2, T, D), torch.tensor([T, T])
    before_BTD = encoder.encode(rows_of(x_BTD, length_B))
    for t in range(T):
        changed_BTD = x_BTD.clone()
        changed_BTD[:, t] += vectors(2, D, seed=t + 2)
        moved_BT = (encoder.encode(rows_of(changed_BTD, length_B)) - before_BTD).abs().amax(-1)
        end = t + reach_of(encoder)
        expect((moved_BT[:, t:end] > 1e-9).all(), "the item itself and what comes later do depend on it")
        expect((moved_BT[:, end:] < 1e-12).all(), f"reach={encoder.reach}: a state depends on an older item")
        if encoder.causal:
            expect((moved_BT[:, :t] < 1e-12).all(), "causal=True: a state depends on a later item")
        else:
            expect((moved_BT[:, :t] > 1e-9).all(), "an encoder that looks ahead does so; else call it causal")


def a_later_moment_never_changes_an_earlier_state(make: Make) -> None:
    """Everything from one position on happens later; what a causal encoder said before that stays."""
    encoder, x_BTD, length_B = made(make).double(), vectors(2, T, D), torch.tensor([T, T])
    rows = rows_of(x_BTD, length_B)
    assert rows.times_BT is not None and rows.now_BT is not None
    before_BTD, moves = encoder.encode(rows), False
    for t in range(T):
        later_T = (torch.arange(T) >= t) * 100_000
        moved = replace(rows, times_BT=rows.times_BT + later_T, now_BT=rows.now_BT + later_T)
        moved_BT = (encoder.encode(moved) - before_BTD).abs().amax(-1)
        expect(not encoder.causal or (moved_BT[:, :t] < 1e-12).all(), "causal=True: a state depends on a later time")
        moves |= bool((moved_BT > 1e-9).any())
    expect(moves == encoder.needs_times, f"needs_times={encoder.needs_times} is not so")


def a_causal_encoder_needs_no_lengths(make: Make) -> None:
    """Where a row ends is nothing that an earlier state may know."""
    encoder, x_BTD = made(make), vectors(2, T, D, dtype=torch.float32)
    rows = rows_of(x_BTD, torch.tensor([T, T]))
    one, other = (encoder.encode(replace(rows, length_B=torch.tensor(n))) for n in ([T, T], [3, 5]))
    expect(torch.equal(one, other) == encoder.causal, "a causal encoder, and no other, ignores lengths")


def a_window_over_everything_is_the_long_view(make: Make) -> None:
    """Of a causal encoder; another sees what comes after a position only in the long view."""
    encoder, x_BTD, length_B = made(make), vectors(4, T, D, dtype=torch.float32), torch.tensor(LENGTHS)
    at = everywhere(length_B)
    long_ND = encoder(rows_of(x_BTD, length_B), at)
    short_ND = encoder(rows_of(x_BTD, length_B), at, torch.zeros_like(at.row_N))
    same = torch.allclose(long_ND, short_ND, rtol=0, atol=1e-5)
    expect(same == encoder.causal, "a window over everything is the long view of a causal encoder, and of no other")


def alone_or_in_a_batch_a_row_has_the_same_states(make: Make) -> None:
    """Neither padding nor the company of longer rows plays a part, in the long view and in windows of 3."""
    encoder, x_BTD, length_B = made(make), vectors(4, T, D, dtype=torch.float32), torch.tensor(LENGTHS)
    real_BT1 = (torch.arange(T) < length_B[:, None])[:, :, None]
    x_BTD = torch.where(real_BT1, x_BTD, 50 * x_BTD)  # what stands behind the end is arbitrary
    at = everywhere(length_B)
    for short in (False, True):
        together_ND = encoder(rows_of(x_BTD, length_B), at, _last_three(at) if short else None)
        for row, n in enumerate(LENGTHS):
            alone = Positions(torch.zeros(n, dtype=torch.int64), torch.arange(n))
            rows = rows_of(x_BTD[row : row + 1, :n], torch.tensor([n]), row)
            alone_ND = encoder(rows, alone, _last_three(alone) if short else None)
            torch.testing.assert_close(together_ND[at.row_N == row], alone_ND, rtol=0, atol=1e-5)


def only_what_is_asked_comes_back_and_in_order(make: Make) -> None:
    """Few positions have the states that they have among all."""
    encoder, x_BTD, length_B = made(make), vectors(4, T, D, dtype=torch.float32), torch.tensor(LENGTHS)
    at = everywhere(length_B)
    some = torch.tensor([0, 3, 10, 12, len(at) - 1])
    few = Positions(at.row_N[some], at.position_N[some])
    for start_N in (None, _last_three(at)):
        all_ND = encoder(rows_of(x_BTD, length_B), at, start_N)
        few_ND = encoder(rows_of(x_BTD, length_B), few, None if start_N is None else start_N[some])
        torch.testing.assert_close(few_ND, all_ND[some], rtol=0, atol=1e-5)


def a_seed_makes_the_same_weights(make: Make) -> None:
    """Initial weights come from torch's generator and from nowhere else."""
    one, two = made(make).state_dict(), made(make).state_dict()
    expect(all(torch.equal(one[name], two[name]) for name in one), "two encoders of one seed begin differently")


def chance_is_for_training_only(make: Make) -> None:
    """No draw in a test; the draws of training come from torch's generator. Of an encoder that has a dropout."""
    has_dropout = "dropout" in settings_of(type(made(make)))
    encoder = made(make, dropout=0.5) if has_dropout else made(make)
    rows = rows_of(vectors(2, T, D, dtype=torch.float32), torch.tensor([T, T]))
    expect(torch.equal(encoder.encode(rows), encoder.encode(rows)), "a test draws")
    encoder.train()
    if has_dropout:
        expect(not torch.equal(encoder.encode(rows), encoder.encode(rows)), "dropout=0.5 changes nothing in training")
    draws = []
    for _ in range(2):
        torch.manual_seed(5)
        draws.append(encoder.encode(rows))
    expect(torch.equal(*draws), "training draws from elsewhere than torch's generator")


def nothing_from_outside_the_window_reaches_the_short_state(make: Make, window: Starts) -> None:
    """One item is changed; the short states that move are those whose windows hold it, and all of them do."""
    encoder, x_BTD, batch = made(make).double(), vectors(4, T, D), rows_as_batch()
    at = everywhere(batch.length_B)
    start_N = window(batch, at)
    before_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
    for t in range(T):
        changed_BTD = x_BTD.clone()
        changed_BTD[:, t] += vectors(4, D, seed=t + 2)
        moved_N = (encoder(rows_of(changed_BTD, batch.length_B), at, start_N) - before_ND).abs().amax(-1)
        inside_N = (start_N <= t) & (t <= at.position_N) & (at.position_N < t + reach_of(encoder))
        expect((moved_N[~inside_N] < 1e-12).all(), "an item from outside the window changes a short state")
        expect((moved_N[inside_N] > 1e-9).all(), "an item inside the window does not count")


def the_short_view_is_the_encoder_on_each_window_alone(make: Make, window: Starts) -> None:
    """Each window is cut out by hand and encoded as a row of its own."""
    encoder, x_BTD, batch = made(make), vectors(4, T, D, dtype=torch.float32), rows_as_batch()
    at = everywhere(batch.length_B)
    start_N = window(batch, at)
    got_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
    for n in range(len(at)):
        row, position, start = int(at.row_N[n]), int(at.position_N[n]), int(start_N[n])
        alone_1LD = x_BTD[row : row + 1, start : position + 1]
        state_D = encoder.encode(rows_of(alone_1LD, torch.tensor([position + 1 - start]), row, start))[0, -1]
        torch.testing.assert_close(got_ND[n], state_D, rtol=0, atol=1e-5)


def gradients_stay_within_the_window_too(make: Make, window: Starts) -> None:
    """The last state of each row teaches the items of its window and no others."""
    encoder, x_BTD, batch = made(make).double(), vectors(4, T, D).requires_grad_(), rows_as_batch()
    at = Positions.last(batch.length_B)
    start_N = window(batch, at)
    encoder(rows_of(x_BTD, batch.length_B), at, start_N).square().sum().backward()
    step_T = torch.arange(T)
    inside_BT = (step_T >= start_N[:, None]) & (step_T < batch.length_B[:, None])
    inside_BT &= step_T >= batch.length_B[:, None] - reach_of(encoder)
    grad_BTD = torch.zeros_like(x_BTD) if x_BTD.grad is None else x_BTD.grad
    expect(((grad_BTD.abs().amax(-1) > 0) == inside_BT).all(), "gradients reach other items than those of the window")


def _last_three(at: Positions) -> Tensor:
    return (at.position_N - 2).clamp(min=0)


PROMISES: tuple[Callable[[Make], None], ...] = (
    a_later_item_never_changes_an_earlier_state,
    a_later_moment_never_changes_an_earlier_state,
    a_causal_encoder_needs_no_lengths,
    a_window_over_everything_is_the_long_view,
    alone_or_in_a_batch_a_row_has_the_same_states,
    only_what_is_asked_comes_back_and_in_order,
    a_seed_makes_the_same_weights,
    chance_is_for_training_only,
)
PROMISES_OF_WINDOWS: tuple[Callable[[Make, Starts], None], ...] = (
    nothing_from_outside_the_window_reaches_the_short_state,
    the_short_view_is_the_encoder_on_each_window_alone,
    gradients_stay_within_the_window_too,
)
