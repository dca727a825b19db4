"""What a fusion may ask, each view by hand: windows that end early, hidden items, states before and without a window.

Shape legend: B rows, T positions, N asked positions, D width, L longest window.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.gru import GRU
from research.encoders.rows import Rows
from research.sizes import Sizes
from research.views import Views

pytestmark = pytest.mark.usefixtures("one_thread")

D, N_ITEMS, MASK = 4, 9, 10
ITEMS = [[3, 1, 4, 1, 5], [9, 2, 6]]
TIMES = [[0, 10, 20, 30, 40], [100, 100, 300]]
POSITIONS = [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]
START = [0, 0, 1, 1, 3, 0, 0, 2]
END = [-1, 0, 0, 2, 2, -1, 1, 1]
"""Windows that end early: of the first row's five, the first, third and last are empty; then the first and last."""


class OfNobody(Encoder):
    """A state that reads no items: where the row begins plays no part."""

    causal = True
    reach = 0

    def __init__(self) -> None:
        super().__init__()
        self.state_D = torch.nn.Parameter(torch.arange(1.0, D + 1).double())

    def encode(self, rows: Rows) -> Tensor:
        return self.state_D.expand(*rows.shape, D)


@pytest.fixture
def table() -> Tensor:
    return torch.randn(MASK + 1, D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def encoders() -> tuple[GRU, GRU]:
    torch.manual_seed(0)
    sizes = Sizes(D, 5, n_items=N_ITEMS, n_users=2)
    return GRU(sizes, dropout=0.0).double().eval(), GRU(sizes, dropout=0.0).double().eval()


@pytest.fixture
def make(make_batch, table: Tensor, encoders):
    def of(*, items=ITEMS, start=START, end=None, overlap: bool = True, now: int = 0, long=None) -> Views:
        batch = make_batch(items, TIMES)
        batch = replace(batch, now_BT=batch.now_BT + now)
        at = Positions(*torch.tensor(POSITIONS).t())
        rows = Rows(table[batch.items_BT], batch.length_B, batch.times_BT, batch.users_B)
        end_N = None if end is None else torch.tensor(end)
        views = {"long": long or encoders[0], "short": encoders[1], "start_N": torch.tensor(start)}
        return Views(rows, batch, at, overlap=overlap, end_N=end_N, **views)

    return of


def alone(encoder: Encoder, table: Tensor, items: list[int], initial_D: Tensor | None = None) -> Tensor:
    """State of a window that was cut out by hand; zeros of one that is empty."""
    if not items:
        return torch.zeros(D, dtype=torch.float64)
    rows = Rows(table[torch.tensor([items])], torch.tensor([len(items)]))
    return encoder.encode(replace(rows, initial_BD=None if initial_D is None else initial_D[None]))[0, -1]


def same(got_ND: Tensor, expected: list[Tensor]) -> None:
    torch.testing.assert_close(got_ND, torch.stack(expected), rtol=0, atol=1e-12)


class TestStates:
    def test_long_and_short(self, make, table: Tensor, encoders) -> None:
        long, short = encoders
        views = make()
        same(views.long_ND, [alone(long, table, ITEMS[b][: t + 1]) for b, t in POSITIONS])
        windows = [ITEMS[b][s : t + 1] for (b, t), s in zip(POSITIONS, START, strict=True)]
        same(views.short_ND, [alone(short, table, window) for window in windows])

    def test_without_overlap_the_long_view_ends_before_the_window(self, make, table: Tensor, encoders) -> None:
        expected = [alone(encoders[0], table, ITEMS[b][:s]) for (b, _), s in zip(POSITIONS, START, strict=True)]
        same(make(overlap=False).long_ND, expected)
        same(make().before_ND, expected)

    def test_a_state_that_reads_no_items_stands_before_the_first_too(self, make) -> None:
        nobody = OfNobody()
        same(make(long=nobody).before_ND, [nobody.state_D] * len(POSITIONS))

    @pytest.mark.parametrize("overlap", [True, False])
    def test_the_twin_is_the_short_encoder_over_the_long_view(self, make, table, encoders, overlap: bool) -> None:
        ends = [t + 1 if overlap else s for (_, t), s in zip(POSITIONS, START, strict=True)]
        expected = [alone(encoders[1], table, ITEMS[b][:end]) for (b, _), end in zip(POSITIONS, ends, strict=True)]
        same(make(overlap=overlap).twin_ND, expected)

    def test_states_of_the_long_encoder_everywhere(self, make) -> None:
        views = make()
        assert torch.equal(views.at.of(views.long_BTD), views.long_ND)

    def test_short_from_a_state(self, make, table: Tensor, encoders) -> None:
        views = make()
        got_ND = views.short_from(views.before_ND)
        expected = [
            alone(encoders[1], table, ITEMS[b][s : t + 1], alone(encoders[0], table, ITEMS[b][:s]))
            for (b, t), s in zip(POSITIONS, START, strict=True)
        ]
        same(got_ND, expected)


class TestWindowsThatEndEarly:
    def windows(self) -> list[list[int]]:
        return [ITEMS[b][s : e + 1] for (b, _), s, e in zip(POSITIONS, START, END, strict=True)]

    def test_short_states(self, make, table: Tensor, encoders) -> None:
        windows = self.windows()
        assert [len(window) for window in windows] == [0, 1, 0, 2, 0, 0, 2, 0]
        same(make(end=END).short_ND, [alone(encoders[1], table, window) for window in windows])

    def test_items(self, make, table: Tensor) -> None:
        x_NLD, real_NL = make(end=END).window
        assert x_NLD.shape == (8, 2, D)
        for n, window in enumerate(self.windows()):
            assert real_NL[n].tolist() == [step < len(window) for step in range(2)]
            assert torch.equal(x_NLD[n][real_NL[n]], table[window] if window else torch.zeros(0, D).double())

    def test_nothing_left_anywhere(self, make) -> None:
        views = make(end=[-1] * 8)
        assert not views.short_ND.any() and not views.window[1].any()

    def test_what_is_hidden_cannot_be_felt(self, make, table: Tensor) -> None:
        before_ND = make(end=END).short_ND
        table[5] += 1  # the first row's last item, and in no window
        assert torch.equal(make(end=END).short_ND, before_ND)
        table[1] += 1
        assert not torch.equal(make(end=END).short_ND, before_ND)

    def test_the_long_view_is_as_ever(self, make) -> None:
        assert torch.equal(make(end=END).long_ND, make().long_ND)

    def test_by_default_a_window_ends_where_it_is_asked(self, make) -> None:
        views = make()
        assert torch.equal(views.end_N, views.at.position_N)
        assert torch.equal(make(end=[t for _, t in POSITIONS]).short_ND, views.short_ND)


class TestLatest:
    def test_gaps(self, make) -> None:
        # To the next interaction; the last of a row is asked for at its own time in these batches.
        assert make().gap_N(N_ITEMS).tolist() == [10, 10, 10, 10, 0, 0, 200, 0]
        assert make(now=7).gap_N(N_ITEMS).tolist() == [17, 17, 17, 17, 7, 7, 207, 7]
        assert make(now=-50).gap_N(N_ITEMS).tolist() == [0, 0, 0, 0, 0, 0, 150, 0]

    def test_hidden_items_have_not_been_seen(self, make, table: Tensor) -> None:
        views = make(items=[[3, MASK, 4, MASK, MASK], [MASK, 2, MASK]])
        seen = [0, 0, 2, 2, 2, 0, 1, 1]
        now = [10, 20, 30, 40, 40, 100, 300, 300]
        times = [TIMES[b][s] for (b, _), s in zip(POSITIONS, seen, strict=True)]
        assert views.gap_N(N_ITEMS).tolist() == list(np.subtract(now, times))
        # Where nothing was seen at all, there is nothing but the mask.
        latest = [3, 3, 4, 4, 4, MASK, 2, 2]
        assert torch.equal(views.last_ND(N_ITEMS), table[latest])

    def test_without_hidden_items_the_latest_is_the_one_that_is_asked(self, make, table: Tensor) -> None:
        assert torch.equal(make().last_ND(N_ITEMS), table[[ITEMS[b][t] for b, t in POSITIONS]])

    def test_users(self, make) -> None:
        assert make().user_N.tolist() == [0] * 5 + [1] * 3
