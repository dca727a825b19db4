"""Chains against a plain loop over windows: what an encoder is given, and where each state is read.

Shape legend: B rows, T positions, N asked positions, C chains, L longest chain, D width.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.chains import chains, runs
from research.encoders.rows import Rows, take

pytestmark = pytest.mark.usefixtures("one_thread")

B, T = 5, 37


def asked(seed: int, *, kind: str) -> tuple[Positions, Tensor]:
    """Random positions, sorted, with windows that never move back as time goes on."""
    random = torch.Generator().manual_seed(seed)
    at = Positions.where(torch.rand(B, T, generator=random) < 0.6)
    if kind == "last_k":
        return at, (at.position_N - 4).clamp(min=0)
    begins_BT = torch.where(torch.rand(B, T, generator=random) < 0.2, torch.arange(T), 0)
    start_N = at.of(begins_BT.cummax(dim=1).values)
    return at, torch.zeros_like(start_N) if kind == "whole" else start_N


KINDS = ["last_k", "session", "whole"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [True, False])
class TestTwin:
    def test_every_state_sees_exactly_its_window(self, kind: str, share: bool) -> None:
        at, start_N = asked(0, kind=kind)
        read = []
        for group in chains(at, start_N, (B, T), share=share):
            longest = group.element_CL.shape[1]
            for n, state in zip(
                group.asked_M.tolist(),
                (group.at.row_N * group.element_CL.shape[1] + group.at.position_N).tolist(),
                strict=True,
            ):
                chain, step = divmod(state, longest)
                assert step < group.length_C[chain], "the state of a real element"
                row = int(at.row_N[n]) * T
                window = [row + p for p in range(int(start_N[n]), int(at.position_N[n]) + 1)]
                assert group.element_CL[chain, : step + 1].tolist() == window
                if not share:
                    assert int(group.length_C[chain]) == len(window), "nothing behind the position either"
                read.append(n)
        assert sorted(read) == list(range(len(at))), "each is read once"

    def test_a_chain_never_leaves_its_row(self, kind: str, share: bool) -> None:
        at, start_N = asked(1, kind=kind)
        for group in chains(at, start_N, (B, T), share=share):
            assert group.element_CL.min() >= 0 and group.element_CL.max() < B * T
            for elements, n in zip(group.element_CL.tolist(), group.length_C.tolist(), strict=True):
                assert len({e // T for e in elements[:n]}) == 1

    def test_padding_is_at_most_half(self, kind: str, share: bool) -> None:
        at, start_N = asked(2, kind=kind)
        for group in chains(at, start_N, (B, T), share=share):
            assert group.length_C.min() * 2 > group.element_CL.shape[1] or group.element_CL.shape[1] == 1

    def test_windows_with_one_start_share_a_chain(self, kind: str, share: bool) -> None:
        at, start_N = asked(3, kind=kind)
        made = sum(len(group.length_C) for group in chains(at, start_N, (B, T), share=share))
        distinct = len({(int(r), int(s)) for r, s in zip(at.row_N, start_N, strict=True)})
        assert made == (distinct if share else len(at))


class Total(Encoder):
    """Causal and exact: the sum of what is seen so far, counted in whole numbers."""

    causal = True

    def encode(self, rows: Rows) -> Tensor:
        return rows.x_BTD.cumsum(dim=1)


class Whole(Encoder):
    """Bidirectional and exact: the sum of the whole row at every position."""

    causal = False

    def encode(self, rows: Rows) -> Tensor:
        return (rows.x_BTD * rows.real_BT[:, :, None]).sum(dim=1, keepdim=True).expand_as(rows.x_BTD)


class TestEncoderWithChains:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("encoder", [Total(), Whole()], ids=["causal", "bidirectional"])
    def test_a_window_is_summed_alone(self, kind: str, encoder: Encoder) -> None:
        at, start_N = asked(4, kind=kind)
        x_BTD = torch.randint(-99, 99, (B, T, 3), generator=torch.Generator().manual_seed(0)).double()
        got_ND = encoder(Rows(x_BTD, torch.full((B,), T)), at, start_N)
        for n in range(len(at)):
            window_LD = x_BTD[at.row_N[n], int(start_N[n]) : int(at.position_N[n]) + 1]
            assert torch.equal(got_ND[n], window_LD.sum(0))

    @pytest.mark.parametrize("encoder", [Total(), Whole()], ids=["causal", "bidirectional"])
    def test_the_long_view_is_the_whole_row(self, encoder: Encoder) -> None:
        x_BTD = torch.arange(24.0).view(2, 4, 3)
        at = Positions(torch.tensor([0, 1, 1]), torch.tensor([3, 0, 1]))
        got_ND = encoder(Rows(x_BTD, torch.tensor([4, 2])), at)
        row = x_BTD[1, :2].sum(0)
        expected = [x_BTD[0].sum(0), x_BTD[1, 0] if encoder.causal else row, row]
        assert torch.equal(got_ND, torch.stack(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_elements_in_no_chain_are_left_out(kind: str) -> None:
    at, start_N = asked(2, kind=kind)
    found = runs(at, start_N, T, share=True)
    used_S, compact = found.among_used(B * T)
    expected = set()
    for first, length in zip(found.first_A.tolist(), found.length_A.tolist(), strict=True):
        expected |= set(range(first, first + length))
    assert used_S.tolist() == sorted(expected) and len(expected) < B * T
    for first, length, own in zip(found.first_A, found.length_A, compact.first_A, strict=True):
        assert used_S[own : own + length].tolist() == list(range(int(first), int(first + length)))


def test_take_and_its_gradient_are_those_of_indexing() -> None:
    table, index = torch.randn(4, 5, 3, dtype=torch.float64), torch.tensor([0, 19, 7, 7, 7])
    grads = []
    for pick in (lambda x: take(x, index), lambda x: x.reshape(20, 3)[index]):
        x = table.clone().requires_grad_()
        (pick(x) * torch.arange(15.0).view(5, 3)).sum().backward()
        grads.append(x.grad)
    assert torch.equal(take(table, index), table.view(20, 3)[index])
    assert torch.equal(grads[0], grads[1])
