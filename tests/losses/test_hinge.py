"""The hinge by a loop over positions and negatives.

Shape legend: N supervised positions, K negatives, D width, I items.
"""

from __future__ import annotations

import pytest
import torch

from research.errors import UserError
from research.fusion.base import Fused
from research.items.ids import Ids
from research.losses import sampled
from research.losses.hinge import Hinge
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N, D, N_ITEMS, K = 7, 4, 9, 5
RANDOM = torch.Generator().manual_seed(0)
H_ND = torch.randn(N, D, generator=RANDOM, dtype=torch.float64)
TARGET_N = torch.randint(N_ITEMS, (N,), generator=RANDOM)
DRAWN_NK = torch.randint(N_ITEMS, (N, K), generator=RANDOM)
DRAWN_NK[2] = TARGET_N[2]  # nothing but hits
DRAWN_NK[4, 1] = TARGET_N[4]


def table() -> Ids:
    torch.manual_seed(1)
    return Ids(Sizes(D, n_items=N_ITEMS), std=1.0).double()


def hinge(row: torch.Tensor, **settings: object) -> Hinge:
    loss = Hinge(torch.ones(N_ITEMS), negatives=K, **settings)  # type: ignore[arg-type]
    loss.draw.forward = lambda shape, target_N: row.expand(shape)  # type: ignore[method-assign]
    return loss


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_against_a_loop(shared: bool, margin: float, monkeypatch: pytest.MonkeyPatch) -> None:
    items, row = table(), DRAWN_NK[0] if shared else DRAWN_NK
    score_NI = (H_ND @ items.candidates().detach().T).tolist()
    total, idle = 0.0, 0
    for n in range(N):
        own = int(TARGET_N[n])
        for other in (row if shared else row[n]).tolist():
            short = margin + score_NI[n][other] - score_NI[n][own]
            total += max(0.0, short) if other != own else 0.0
            idle += short < 0
    assert idle > 0, "some pairs are far enough apart"
    for numbers in (2**24, 3 * K * (1 if shared else D)):  # at once, and three positions a chunk
        monkeypatch.setattr(sampled, "NUMBERS", numbers)
        got = hinge(row, shared=shared, margin=margin)(Fused(H_ND, None), TARGET_N, items)
        assert float(got.detach()) == pytest.approx(total / K)


def test_gradients() -> None:
    items = table()
    assert torch.autograd.gradcheck(
        lambda h_ND: hinge(DRAWN_NK)(Fused(h_ND, None), TARGET_N, items), H_ND.clone().requires_grad_()
    )


def test_a_pair_that_is_far_enough_apart_teaches_nothing() -> None:
    h_1D = torch.tensor([[3.0, 0.0]], requires_grad=True)
    items = Ids(Sizes(2, n_items=2))
    with torch.no_grad():
        items.table.weight.copy_(torch.tensor([[0.0, 0], [1, 0], [-1, 0], [0, 0]]))
    loss = Hinge(torch.ones(2), margin=0.5)
    loss.draw.forward = lambda shape, target_N: torch.ones(shape, dtype=torch.int64)  # type: ignore[method-assign]
    value = loss(Fused(h_1D, None), torch.tensor([0]), items)
    value.backward()
    assert value == 0 and h_1D.grad is not None and not h_1D.grad.any()


def test_it_says_that_it_samples_and_what_is_wrong() -> None:
    assert Hinge.sampled
    with pytest.raises(UserError, match=r"loss\.margin=0"):
        Hinge(torch.ones(3), margin=0)
    with pytest.raises(UserError, match=r"loss\.negatives=0"):
        Hinge(torch.ones(3), negatives=0)


def test_half_precision_scores_are_summed_in_float32() -> None:
    items = Ids(Sizes(D, n_items=N_ITEMS)).bfloat16()
    assert Hinge(torch.ones(N_ITEMS))(Fused(H_ND.bfloat16(), None), TARGET_N, items).dtype == torch.float32
