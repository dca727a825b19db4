"""Both kernels of the cross-entropy against the plain one, which holds all scores: values and both gradients.

Shape legend: N supervised positions, D width, I items.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from research.errors import UserError
from research.fusion.base import Fused
from research.items.base import ItemTable
from research.losses.cross_entropy import CrossEntropy, _FusedCrossEntropy

pytestmark = pytest.mark.usefixtures("one_thread")

N, D, N_ITEMS = 40, 16, 90
RANDOM = torch.Generator().manual_seed(0)
H_ND = torch.randn(N, D, generator=RANDOM)
W_ID = torch.randn(N_ITEMS, D, generator=RANDOM) * 0.5
TARGET_N = torch.randint(N_ITEMS, (N,), generator=RANDOM)
COUNT_I = torch.ones(N_ITEMS)
CHUNKS = [1, 7, N, 1000]


class Table(ItemTable):
    """Candidates between other rows, as those of ``Ids`` are; the other rows are of no use."""

    def __init__(self, w_ID: Tensor) -> None:
        super().__init__()
        self.n_items, self.w_ID = len(w_ID), w_ID
        self.whole_VD = torch.cat(
            [w_ID.new_full((2, w_ID.shape[1]), 7.0), w_ID, w_ID.new_full((1, w_ID.shape[1]), -7.0)]
        )

    def forward(self, items: Tensor) -> Tensor:
        raise AssertionError("a loss over all items looks none up")

    def candidates(self) -> Tensor:
        return self.w_ID

    def matrix(self) -> tuple[Tensor, int]:
        return self.whole_VD, 2


def of(
    loss, h_ND: Tensor = H_ND, w_ID: Tensor = W_ID, target_N: Tensor = TARGET_N, scale: float = 1.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Value, and gradients with respect to interests and items."""
    h_ND, w_ID = h_ND.clone().requires_grad_(), w_ID.clone().requires_grad_()
    value = loss(Fused(h_ND, None), target_N, Table(w_ID))
    (value * scale).backward()
    assert h_ND.grad is not None and w_ID.grad is not None
    return value.detach(), h_ND.grad, w_ID.grad


def plain(fused: Fused, target_N: Tensor, items: ItemTable) -> Tensor:
    return F.cross_entropy(fused.interest_ND @ items.candidates().T, target_N, reduction="sum")


def distance(got: Tensor, expected: Tensor) -> float:
    return float((got.double() - expected.double()).norm() / expected.double().norm())


def reference(**settings) -> tuple[Tensor, Tensor, Tensor]:
    """The plain loss in float64."""
    tensors = {"h_ND": H_ND, "w_ID": W_ID} | {k: v for k, v in settings.items() if k in ("h_ND", "w_ID")}
    others = {k: v for k, v in settings.items() if k not in tensors}
    return of(plain, **{k: v.double() for k, v in tensors.items()}, **others)


class TestTwin:
    @pytest.mark.parametrize("chunk", CHUNKS)
    @pytest.mark.parametrize("kernel", ["fused", "portable"])
    def test_in_float32(self, kernel, chunk: int) -> None:
        loss = CrossEntropy(COUNT_I, kernel=kernel, precision="fp32", chunk=chunk)
        for got, expected in zip(of(loss), reference(), strict=True):
            assert distance(got, expected) < 1e-6

    @pytest.mark.parametrize("chunk", CHUNKS)
    def test_products_in_bfloat16(self, chunk: int) -> None:
        value, grad_h_ND, grad_w_ID = of(CrossEntropy(COUNT_I, kernel="fused", precision="bf16", chunk=chunk))
        expected, expected_h_ND, expected_w_ID = reference()
        # Eight bits of mantissa: a relative 2^-9 a rounding, a few roundings in a row.
        assert distance(value, expected) < 2e-3
        assert distance(grad_h_ND, expected_h_ND) < 8e-3
        assert distance(grad_w_ID, expected_w_ID) < 8e-3
        assert distance(grad_h_ND, expected_h_ND) > 1e-5, "else bfloat16 was not used at all"
        assert value.dtype == grad_h_ND.dtype == grad_w_ID.dtype == torch.float32

    def test_products_in_bfloat16_where_the_target_is_certain(self) -> None:
        # The gradient is a difference of two nearly equal terms: a rounding of one of them may be left, not more.
        certain: dict[str, Any] = {
            "h_ND": 15.1 * torch.eye(D),
            "w_ID": 1.01 * torch.eye(D),
            "target_N": torch.arange(D),
        }
        _, grad_h_ND, grad_w_ID = of(CrossEntropy(COUNT_I, kernel="fused", precision="bf16"), **certain)
        _, expected_h_ND, expected_w_ID = reference(**certain)
        assert expected_h_ND.abs().max() < 1e-5 and expected_w_ID.abs().max() < 1e-4
        assert (grad_h_ND - expected_h_ND).abs().max() < 2**-8 * 1.01
        assert (grad_w_ID - expected_w_ID).abs().max() < 2**-8 * 15.1

    @pytest.mark.parametrize("kernel", ["fused", "portable"])
    def test_the_gradient_scales_with_what_the_sum_is_divided_by(self, kernel) -> None:
        loss = CrossEntropy(COUNT_I, kernel=kernel, precision="fp32", chunk=7)
        _, *got = of(loss, scale=1 / 37)
        _, *expected = reference(scale=1 / 37)
        assert all(distance(g, e) < 1e-6 for g, e in zip(got, expected, strict=True))

    @pytest.mark.parametrize("kernel", ["fused", "portable"])
    def test_one_position_and_one_item(self, kernel) -> None:
        loss = CrossEntropy(COUNT_I, kernel=kernel, precision="fp32")
        one: dict[str, Any] = {"h_ND": H_ND[:1], "target_N": TARGET_N[:1]}
        assert all(distance(g, e) < 1e-6 for g, e in zip(of(loss, **one), reference(**one), strict=True))
        value, grad_h_ND, grad_w_ID = of(loss, w_ID=W_ID[:1], target_N=torch.zeros_like(TARGET_N))
        assert float(value) == 0
        assert grad_h_ND.abs().max() < 1e-5 and grad_w_ID.abs().max() < 1e-5, "there was no choice, so nothing to learn"

    @pytest.mark.parametrize("kernel", ["fused", "portable"])
    def test_large_scores_do_not_overflow(self, kernel) -> None:
        loss = CrossEntropy(COUNT_I, kernel=kernel, precision="fp32")
        big: dict[str, Any] = {"h_ND": H_ND * 8}  # scores up to about 60: beyond exp's range if they were not shifted
        assert float((big["h_ND"] @ W_ID.T).max()) > 50
        for got, expected in zip(of(loss, **big), reference(**big), strict=True):
            assert distance(got, expected) < 1e-5

    def test_the_same_target_many_times(self) -> None:
        loss, same = CrossEntropy(COUNT_I, kernel="fused", precision="fp32", chunk=7), torch.full((N,), 3)
        for got, expected in zip(of(loss, target_N=same), reference(target_N=same), strict=True):
            assert distance(got, expected) < 1e-6


class TestExact:
    def test_by_hand(self) -> None:
        # Scores (0, ln 3): the target has probability 1/4, then 3/4.
        h_ND = torch.tensor([[1.0], [1.0]], dtype=torch.float64)
        w_ID = torch.tensor([[0.0], [1.0986122886681098]], dtype=torch.float64)
        for kernel in ("fused", "portable"):
            loss = CrossEntropy(COUNT_I, kernel=kernel, precision="fp32")
            value, grad_h_ND, grad_w_ID = of(loss, h_ND, w_ID, torch.tensor([0, 1]))
            assert float(value) == pytest.approx(1.3862943611198906 + 0.2876820724517809, rel=1e-6)
            assert grad_h_ND.flatten().tolist() == pytest.approx(
                [0.75 * 1.0986122886681098, -0.25 * 1.0986122886681098]
            )
            assert grad_w_ID.flatten().tolist() == pytest.approx([-0.75 + 0.25, 0.75 - 0.25])

    def test_fused_passes_gradcheck_in_float64(self) -> None:
        h_ND, w_VD = H_ND[:9, :5].double().requires_grad_(), W_ID[:11, :5].double().requires_grad_()
        target_N = TARGET_N[:9] % 7

        def fused(h: Tensor, w: Tensor) -> Tensor:
            return _FusedCrossEntropy.apply(h, w, target_N, 2, 7, 4, False)

        assert torch.autograd.gradcheck(fused, (h_ND, w_VD))

    def test_an_impossible_target_has_a_finite_loss_and_still_pulls(self) -> None:
        h_ND, w_ID = torch.tensor([[1.0]]), torch.tensor([[300.0], [0.0]])
        value, grad_h_ND, _ = of(CrossEntropy(COUNT_I, kernel="fused", precision="fp32"), h_ND, w_ID, torch.tensor([1]))
        assert torch.isfinite(value) and float(value) > 80
        assert grad_h_ND.item() == pytest.approx(300.0)

    @pytest.mark.parametrize("kernel", ["fused", "portable"])
    def test_a_broken_interest_is_not_hidden(self, kernel) -> None:
        h_ND = H_ND.clone()
        h_ND[3, 2] = torch.nan
        assert torch.isnan(CrossEntropy(COUNT_I, kernel=kernel)(Fused(h_ND, None), TARGET_N, Table(W_ID)))


class TestSettings:
    def test_auto_is_the_fused_kernel(self) -> None:
        assert (
            CrossEntropy(COUNT_I).fused
            and CrossEntropy(COUNT_I, kernel="fused").fused
            and not CrossEntropy(COUNT_I, kernel="portable").fused
        )

    @pytest.mark.parametrize(
        ("chip", "has"),
        [({"amx_bf16": True}, True), ({"avx512_bf16": True}, True), ({"avx512_f": True, "amx_bf16": False}, False)],
    )
    def test_auto_precision_follows_the_processor(self, chip, has, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: chip)
        here, elsewhere = torch.device("cpu"), torch.device("meta")
        assert CrossEntropy(COUNT_I).in_bf16(here) is has and not CrossEntropy(COUNT_I).in_bf16(elsewhere)
        for place in (here, elsewhere):
            assert CrossEntropy(COUNT_I, precision="bf16").in_bf16(place)
            assert not CrossEntropy(COUNT_I, precision="fp32").in_bf16(place)

    @pytest.mark.parametrize("chunk", [0, -5])
    def test_a_chunk_holds_a_position(self, chunk: int) -> None:
        with pytest.raises(UserError, match=rf"loss\.chunk={chunk}: at least one"):
            CrossEntropy(COUNT_I, chunk=chunk)
