"""The fast short view of GRU and LSTM against torch's cells: chain by chain, and in a plain loop over windows.

Shape legend: B rows, T positions, N asked positions, S tokens in any window, D width.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from research.data.batch import Positions
from research.encoders import windowed as kernel
from research.encoders.base import Encoder
from research.encoders.chains import Runs
from research.encoders.gru import GRU
from research.encoders.lstm import LSTM
from research.encoders.recurrent import Recurrent
from research.encoders.rows import Rows
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

B, T, D = 6, 23, 5
CELLS = pytest.mark.parametrize("kind", [GRU, LSTM])
WINDOWS = ["last 1", "last 4", "sessions", "days", "whole", "one a row"]
View = Callable[[Recurrent, Tensor, Positions, Tensor], Tensor]


@pytest.fixture(autouse=True, params=[512, 7], ids=["one block", "blocks of 7"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The tests' few chains fill one block; blocks of 7 have borders, and a last one that is not full."""
    monkeypatch.setattr(kernel, "ROWS", request.param)
    return request.param


def asked(name: str) -> tuple[Positions, Tensor]:
    """Some positions, and windows whose start never moves back; chains of many lengths for all but "last 1"."""
    random = torch.Generator().manual_seed(3)
    length_B = torch.tensor([T, 1, 17, 9, 2, T])
    if name == "one a row":
        at = Positions.last(length_B)
        return at, (at.position_N - 4).clamp(min=0)
    real_BT = torch.arange(T) < length_B[:, None]
    at = Positions.where(real_BT & (torch.rand(B, T, generator=random) < 0.8))
    if name.startswith("last"):
        return at, (at.position_N - int(name.split()[1]) + 1).clamp(min=0)
    if name == "whole":
        return at, torch.zeros_like(at.position_N)
    if name == "sessions":
        begins_BT = torch.where(torch.rand(B, T, generator=random) < 0.3, torch.arange(T), 0)
        return at, at.of(begins_BT.cummax(dim=1).values)
    time_BT = torch.randint(0, 10, (B, T), generator=random).cumsum(1)  # days: the last 15 time units
    within_BTT = (time_BT[:, None, :] > time_BT[:, :, None] - 15).long()
    return at, at.of(within_BTT.argmax(dim=2))


def built(kind: type[Recurrent], dtype: torch.dtype = torch.float64, **settings: float) -> Recurrent:
    torch.manual_seed(0)
    return kind(Sizes(D, T), **settings).to(dtype).eval()  # type: ignore[arg-type]


def vectors(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def fast(encoder: Recurrent, x_BTD: Tensor, at: Positions, start_N: Tensor) -> Tensor:
    return encoder(Rows(x_BTD, torch.full((B,), T)), at, start_N)


def by_chain(encoder: Recurrent, x_BTD: Tensor, at: Positions, start_N: Tensor) -> Tensor:
    return Encoder.short_view(encoder, Rows(x_BTD, torch.full((B,), T)), at, start_N)


def by_loop(encoder: Recurrent, x_BTD: Tensor, at: Positions, start_N: Tensor) -> Tensor:
    """Every window on its own, step by step, in torch's single cell with the encoder's parameters."""
    gru = isinstance(encoder, GRU)
    cell = (nn.GRUCell if gru else nn.LSTMCell)(D, D).to(x_BTD.dtype)
    own: dict[str, Tensor] = {name.removesuffix("_l0"): value for name, value in encoder.cell.named_parameters()}
    states = []
    for row, position, start in zip(at.row_N.tolist(), at.position_N.tolist(), start_N.tolist(), strict=True):
        h_1D = c_1D = x_BTD.new_zeros(1, D)
        for t in range(start, position + 1):
            x_1D = x_BTD[row, t : t + 1] * D**0.5
            if gru:
                h_1D = torch.func.functional_call(cell, own, (x_1D, h_1D))
            else:
                h_1D, c_1D = torch.func.functional_call(cell, own, (x_1D, (h_1D, c_1D)))
        states.append(h_1D)
    return torch.cat(states)


def value_and_gradients(view: View, encoder: Recurrent, window: str, x_BTD: Tensor) -> dict[str, Tensor]:
    x_BTD = x_BTD.clone().requires_grad_()
    encoder.zero_grad()
    state_ND = view(encoder, x_BTD, *asked(window))
    state_ND.backward(vectors(*state_ND.shape, seed=2, dtype=x_BTD.dtype))
    return {"states": state_ND.detach(), "x": x_BTD.grad} | {n: p.grad for n, p in encoder.named_parameters()}  # type: ignore[return-value]


@CELLS
@pytest.mark.parametrize("window", WINDOWS)
class TestTwins:
    def test_torchs_cell_on_gathered_chains_in_single_precision(self, kind: type[Recurrent], window: str) -> None:
        encoder, x_BTD = built(kind, torch.float32), vectors(B, T, D, dtype=torch.float32)
        got, expected = (value_and_gradients(view, encoder, window, x_BTD) for view in (fast, by_chain))
        assert len(got) == 6
        for name in got:
            error = (got[name] - expected[name]).abs().max()
            assert error <= 1e-5 * expected[name].abs().max(), (
                name
            )  # both 0: windows of 1 never meet the state's weights

    def test_a_loop_over_windows(self, kind: type[Recurrent], window: str) -> None:
        encoder, x_BTD = built(kind), vectors(B, T, D)
        got, expected = (value_and_gradients(view, encoder, window, x_BTD) for view in (fast, by_loop))
        for name in got:
            torch.testing.assert_close(got[name], expected[name], rtol=1e-11, atol=1e-12, msg=name)

    def test_a_rerun_gives_the_same_bytes(self, kind: type[Recurrent], window: str) -> None:
        x_BTD = vectors(B, T, D, dtype=torch.float32)
        one, two = (value_and_gradients(fast, built(kind, torch.float32), window, x_BTD) for _ in range(2))
        assert all(torch.equal(one[name], two[name]) for name in one)


@CELLS
class TestGradient:
    @pytest.mark.parametrize("window", ["last 4", "days"])
    def test_against_finite_differences(self, kind: type[Recurrent], window: str) -> None:
        at, start_N = asked(window)
        few = torch.arange(0, len(at), 9)
        at, start_N = Positions(at.row_N[few], at.position_N[few]), start_N[few]
        encoder, x_BTD = built(kind), vectors(B, T, D)
        names, values = zip(*encoder.named_parameters(), strict=True)
        free = [x_BTD.requires_grad_(), *(v.detach().clone().requires_grad_() for v in values)]

        def states(x_BTD: Tensor, *parameters: Tensor) -> Tensor:
            own = dict(zip(names, parameters, strict=True))
            return torch.func.functional_call(encoder, own, (Rows(x_BTD, torch.full((B,), T)), at, start_N))

        assert torch.autograd.gradcheck(states, free, fast_mode=True)

    def test_a_position_asked_twice_counts_twice(self, kind: type[Recurrent]) -> None:
        at = Positions(torch.tensor([0, 0, 0]), torch.tensor([2, 2, 3]))
        x_BTD, start_N = vectors(B, T, D).requires_grad_(), torch.tensor([1, 1, 2])
        encoder = built(kind)
        fast(encoder, x_BTD, at, start_N).sum().backward()
        expected_BTD = x_BTD.detach().clone().requires_grad_()
        by_loop(encoder, expected_BTD, at, start_N).sum().backward()
        torch.testing.assert_close(x_BTD.grad, expected_BTD.grad)

    def test_two_passes_through_one_graph_agree(self, kind: type[Recurrent]) -> None:
        x_BTD = vectors(B, T, D).requires_grad_()
        total = fast(built(kind), x_BTD, *asked("days")).square().sum()
        one, two = (torch.autograd.grad(total, x_BTD, retain_graph=True)[0] for _ in range(2))
        assert torch.equal(one, two)


@CELLS
@pytest.mark.parametrize("window", ["last 4", "sessions", "days", "one a row"])
def test_what_is_in_no_window_is_never_read(kind: type[Recurrent], window: str) -> None:
    at, start_N = asked(window)
    inside_BT = torch.zeros(B, T, dtype=torch.bool)
    for row, position, start in zip(at.row_N.tolist(), at.position_N.tolist(), start_N.tolist(), strict=True):
        inside_BT[row, start : position + 1] = True
    assert not inside_BT.all()
    x_BTD = torch.where(inside_BT[:, :, None], vectors(B, T, D), torch.nan).requires_grad_()
    state_ND = fast(built(kind), x_BTD, at, start_N)
    state_ND.sum().backward()
    assert torch.isfinite(state_ND).all() and x_BTD.grad is not None
    assert ((x_BTD.grad != 0).any(dim=2) == inside_BT).all()


class Masks(nn.Module):
    """Stands in for dropout and keeps its masks."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.drawn.append(2.0 * (vectors(*x.shape, seed=len(self.drawn)) > 0))
        return x * self.drawn[-1]


@CELLS
class TestDropout:
    def test_one_mask_for_a_token_in_all_its_windows_and_one_for_each_asked_state(self, kind: type[Recurrent]) -> None:
        at, start_N = asked("last 4")
        encoder, x_BTD, masks = built(kind), vectors(B, T, D), Masks()
        encoder.dropout = masks  # type: ignore[assignment]
        got_ND = fast(encoder, x_BTD, at, start_N)
        token_SD, state_ND = masks.drawn
        inside_BT = torch.zeros(B, T, dtype=torch.bool)
        for row, position, start in zip(at.row_N.tolist(), at.position_N.tolist(), start_N.tolist(), strict=True):
            inside_BT[row, start : position + 1] = True
        x_BTD[inside_BT] *= token_SD
        torch.testing.assert_close(got_ND, by_loop(encoder, x_BTD, at, start_N) * state_ND)

    def test_in_training_a_seed_repeats_it_and_another_does_not(self, kind: type[Recurrent]) -> None:
        encoder, x_BTD = built(kind, dropout=0.5).train(), vectors(B, T, D)
        draws = []
        for seed in (5, 5, 6):
            torch.manual_seed(seed)
            draws.append(fast(encoder, x_BTD, *asked("last 4")))
        assert torch.equal(draws[0], draws[1]) and not torch.equal(draws[0], draws[2])
        encoder.eval()
        assert torch.equal(*(fast(encoder, x_BTD, *asked("last 4")) for _ in range(2)))


@CELLS
class TestWhereItApplies:
    def test_more_layers_run_in_torchs_cell(self, kind: type[Recurrent], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("research.encoders.recurrent.windowed", None)  # not callable: it must not be called
        encoder, x_BTD = built(kind, layers=2), vectors(B, T, D)
        assert torch.equal(fast(encoder, x_BTD, *asked("days")), by_chain(encoder, x_BTD, *asked("days")))
        with pytest.raises(TypeError):
            fast(built(kind), x_BTD, *asked("days"))

    def test_parameters_are_torchs(self, kind: type[Recurrent]) -> None:
        reference = (nn.GRU if kind is GRU else nn.LSTM)(D, D, batch_first=True)
        own = {name.removeprefix("cell."): value.shape for name, value in built(kind).state_dict().items()}
        assert own == {name: value.shape for name, value in reference.state_dict().items()}

    def test_under_autocast_the_steps_stay_in_single_precision(self, kind: type[Recurrent]) -> None:
        encoder, x_BTD = built(kind, torch.float32), vectors(B, T, D, dtype=torch.float32)
        expected_ND = fast(encoder, x_BTD, *asked("days"))
        with torch.autocast("cpu", torch.bfloat16):
            got_ND = fast(encoder, x_BTD, *asked("days"))
        assert got_ND.dtype == torch.float32 and not torch.equal(got_ND, expected_ND)
        torch.testing.assert_close(got_ND, expected_ND, rtol=0, atol=0.05)
        got_ND.sum().backward()


def test_a_plan_by_hand(rows: int) -> None:
    # Chains of 1, 3, 2 and 3 tokens that begin at tokens 0, 1, 4 and 6; two are read twice. Sorted: 1, 3, 2, 0.
    runs = Runs(
        first_A=torch.tensor([0, 1, 4, 6]),
        length_A=torch.tensor([1, 3, 2, 3]),
        chain_N=torch.tensor([0, 1, 1, 2, 3, 3]),
        offset_N=torch.tensor([0, 0, 2, 1, 1, 2]),
    )
    one, two = kernel.Plan.of(runs, 4), kernel.Plan.of(runs, 2)
    assert one.first_C.tolist() == two.first_C.tolist() == [1, 6, 4, 0]
    assert one.steps_J == [(0, 0, 4), (0, 1, 3), (0, 2, 2)]
    assert two.steps_J == [(0, 0, 2), (0, 1, 2), (0, 2, 2), (2, 0, 2), (2, 1, 1)]
    assert one.state_N.tolist() == [3, 0, 7, 6, 5, 8] and one.row_N.tolist() == [3, 0, 0, 2, 1, 1]
    assert two.state_N.tolist() == [7, 0, 4, 8, 3, 5] and two.row_N.tolist() == [1, 0, 0, 0, 1, 1]
    assert one.order_N.tolist() == [1, 0, 4, 3, 2, 5] and one.asked_J == [2, 2, 2]
    assert two.asked_J == [1, 1, 2, 1, 1]
