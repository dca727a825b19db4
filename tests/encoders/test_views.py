"""What every encoder promises about its views: causality, windows that nothing leaks into, padding that plays no part.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

T, D = 11, 8
SIZES = Sizes(D, T, n_items=5, n_users=4)
SMALL = {"LastK": {"k": 3}, "Session": {"gap": 30}, "Days": {"days": 1}}
"""Settings whose windows are short on these rows. A new window without any here runs with its defaults."""
PAUSES = [0, 60, 60, 90_000, 0, 60, 4000, 60, 60, 200_000, 60]


def built(encoder_class: type[Encoder], **settings: object) -> Encoder:
    torch.manual_seed(0)
    return encoder_class(SIZES, **settings).eval()  # type: ignore[call-arg]


def vectors(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rows_of(x_BTD: Tensor, length_B: Tensor, user: int = 0, start: int = 0) -> Rows:
    """Rows of the users from ``user`` on, with the times of the positions from ``start`` on."""
    b, t = x_BTD.shape[:2]
    step_T = torch.arange(start, start + t)
    time_T = torch.tensor(PAUSES).cumsum(0)
    times_BT = torch.minimum(time_T[step_T], time_T[start + length_B - 1][:, None])
    return Rows(x_BTD, length_B, times_BT, torch.arange(user, user + b))


def reach_of(encoder: Encoder) -> int:
    """How many of the latest items a state depends on; on these rows nothing reaches further than T."""
    return T if encoder.reach is None else encoder.reach


def everywhere(length_B: Tensor) -> Positions:
    return Positions.where(torch.arange(int(length_B.max())) < length_B[:, None])


@pytest.fixture
def batch(make_batch):
    """Rows of different lengths with sessions and days of different lengths."""
    times = [sum(PAUSES[: i + 1]) for i in range(T)]
    return make_batch([[1] * n for n in (T, 4, 8, 1)], [times[:n] for n in (T, 4, 8, 1)])


@pytest.fixture
def window(window_class):
    return window_class(**SMALL.get(window_class.__name__, {}))


class TestCausality:
    def test_a_later_item_never_changes_an_earlier_state(self, encoder_class) -> None:
        encoder, x_BTD, length_B = built(encoder_class).double(), vectors(2, T, D), torch.tensor([T, T])
        before_BTD = encoder.encode(rows_of(x_BTD, length_B))
        for t in range(1, T):
            changed_BTD = x_BTD.clone()
            changed_BTD[:, t] += vectors(2, D, seed=t + 2)
            moved_BT = (encoder.encode(rows_of(changed_BTD, length_B)) - before_BTD).abs().amax(-1)
            end = t + reach_of(encoder)
            assert (moved_BT[:, t:end] > 1e-9).all(), "the item itself and what comes later do depend on it"
            assert (moved_BT[:, end:] < 1e-12).all(), "as far as the encoder says"
            if encoder.causal:
                assert (moved_BT[:, :t] < 1e-12).all()
            else:
                assert (moved_BT[:, :t] > 1e-9).all(), "an encoder that looks ahead does so; else call it causal"

    def test_a_causal_encoder_needs_no_lengths(self, encoder_class) -> None:
        encoder, x_BTD = built(encoder_class), vectors(2, T, D, dtype=torch.float32)
        rows = rows_of(x_BTD, torch.tensor([T, T]))
        one, other = (encoder.encode(replace(rows, length_B=torch.tensor(n))) for n in ([T, T], [3, 5]))
        assert torch.equal(one, other) == encoder.causal


class TestWindowHonesty:
    def test_nothing_from_outside_the_window_reaches_the_short_state(
        self, encoder_class, window_class, window, batch
    ) -> None:
        encoder, x_BTD = built(encoder_class).double(), vectors(4, T, D)
        at = everywhere(batch.length_B)
        start_N = window(batch, at)
        assert (start_N > 1).any() or window_class.whole, f"give {window_class.__name__} short windows in SMALL"
        before_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
        for t in range(T):
            changed_BTD = x_BTD.clone()
            changed_BTD[:, t] += vectors(4, D, seed=t + 2)
            moved_N = (encoder(rows_of(changed_BTD, batch.length_B), at, start_N) - before_ND).abs().amax(-1)
            inside_N = (start_N <= t) & (t <= at.position_N) & (at.position_N < t + reach_of(encoder))
            assert (moved_N[~inside_N] < 1e-12).all(), "outside: not at all"
            assert (moved_N[inside_N] > 1e-9).all(), "inside: every item counts"

    def test_the_short_view_is_the_encoder_on_each_window_alone(self, encoder_class, window, batch) -> None:
        encoder, x_BTD = built(encoder_class), vectors(4, T, D, dtype=torch.float32)
        at = everywhere(batch.length_B)
        start_N = window(batch, at)
        got_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
        for n in range(len(at)):
            row, position, start = int(at.row_N[n]), int(at.position_N[n]), int(start_N[n])
            alone_1LD = x_BTD[row : row + 1, start : position + 1]
            state_D = encoder.encode(rows_of(alone_1LD, torch.tensor([position + 1 - start]), row, start))[0, -1]
            torch.testing.assert_close(got_ND[n], state_D, rtol=0, atol=1e-5)

    def test_a_window_over_everything_is_the_long_view_of_a_causal_encoder(self, encoder_class, batch) -> None:
        encoder, x_BTD = built(encoder_class), vectors(4, T, D, dtype=torch.float32)
        at = everywhere(batch.length_B)
        long_ND = encoder(rows_of(x_BTD, batch.length_B), at)
        short_ND = encoder(rows_of(x_BTD, batch.length_B), at, torch.zeros_like(at.row_N))
        assert torch.allclose(long_ND, short_ND, rtol=0, atol=1e-5) == encoder.causal

    def test_gradients_stay_within_the_window_too(self, encoder_class, window, batch) -> None:
        encoder, x_BTD = built(encoder_class).double(), vectors(4, T, D).requires_grad_()
        at = Positions.last(batch.length_B)
        start_N = window(batch, at)
        encoder(rows_of(x_BTD, batch.length_B), at, start_N).square().sum().backward()
        step_T = torch.arange(T)
        inside_BT = (step_T >= start_N[:, None]) & (step_T < batch.length_B[:, None])
        inside_BT &= step_T >= batch.length_B[:, None] - reach_of(encoder)
        grad_BTD = torch.zeros_like(x_BTD) if x_BTD.grad is None else x_BTD.grad
        assert ((grad_BTD.abs().amax(-1) > 0) == inside_BT).all()


class TestPaddingAndCompany:
    @pytest.mark.parametrize("view", ["long", "short"])
    def test_alone_or_in_a_batch_a_row_has_the_same_states(self, encoder_class, batch, view: str) -> None:
        encoder, x_BTD = built(encoder_class), vectors(4, T, D, dtype=torch.float32)
        real_BT1 = (torch.arange(T) < batch.length_B[:, None])[:, :, None]
        x_BTD = torch.where(real_BT1, x_BTD, 50 * x_BTD)  # what stands behind the end is arbitrary
        at = everywhere(batch.length_B)
        start_N = (at.position_N - 2).clamp(min=0) if view == "short" else None
        together_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
        for row, n in enumerate(batch.length_B.tolist()):
            alone = Positions(torch.zeros(n, dtype=torch.int64), torch.arange(n))
            start = (alone.position_N - 2).clamp(min=0) if view == "short" else None
            alone_ND = encoder(rows_of(x_BTD[row : row + 1, :n], torch.tensor([n]), row), alone, start)
            torch.testing.assert_close(together_ND[at.row_N == row], alone_ND, rtol=0, atol=1e-5)

    def test_only_what_is_asked_comes_back_and_in_order(self, encoder_class, batch) -> None:
        encoder, x_BTD = built(encoder_class), vectors(4, T, D, dtype=torch.float32)
        at = everywhere(batch.length_B)
        some = torch.tensor([0, 3, 10, 12, len(at) - 1])
        few = Positions(at.row_N[some], at.position_N[some])
        for start_N in (None, (at.position_N - 2).clamp(min=0)):
            all_ND = encoder(rows_of(x_BTD, batch.length_B), at, start_N)
            few_ND = encoder(rows_of(x_BTD, batch.length_B), few, None if start_N is None else start_N[some])
            torch.testing.assert_close(few_ND, all_ND[some], rtol=0, atol=1e-5)

    def test_a_seed_makes_the_same_weights(self, encoder_class) -> None:
        one, two = built(encoder_class).state_dict(), built(encoder_class).state_dict()
        assert all(torch.equal(one[name], two[name]) for name in one)


class TestChance:
    def test_dropout_works_in_training_only(self, encoder_class) -> None:
        encoder, x_BTD, length_B = (
            built(encoder_class, dropout=0.5),
            vectors(2, T, D, dtype=torch.float32),
            torch.tensor([T, T]),
        )
        assert torch.equal(encoder.encode(rows_of(x_BTD, length_B)), encoder.encode(rows_of(x_BTD, length_B)))
        encoder.train()
        assert not torch.equal(encoder.encode(rows_of(x_BTD, length_B)), encoder.encode(rows_of(x_BTD, length_B)))
        draws = []
        for _ in range(2):
            torch.manual_seed(5)
            draws.append(encoder.encode(rows_of(x_BTD, length_B)))
        assert torch.equal(*draws)
