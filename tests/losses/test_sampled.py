"""Sampled losses: each formula again in a loop over positions and negatives, gradients, and what sampling estimates.

Shape legend: N supervised positions, D width, K negatives, I items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from research.errors import UserError
from research.fusion.base import Fused
from research.items.ids import Ids
from research.losses import sampled
from research.losses.base import Loss
from research.losses.bce import BCE
from research.losses.bpr import BPR
from research.losses.bpr_max import BPRMax
from research.losses.cross_entropy import CrossEntropy
from research.losses.gbce import GBCE
from research.losses.sampled import SampledLoss
from research.losses.sampled_softmax import SampledSoftmax
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

N, D, N_ITEMS, K = 7, 4, 9, 5
RANDOM = torch.Generator().manual_seed(0)
H_ND = torch.randn(N, D, generator=RANDOM, dtype=torch.float64)
TARGET_N = torch.randint(N_ITEMS, (N,), generator=RANDOM)
COUNT_I = torch.tensor([5, 1, 2, 9, 3, 3, 1, 7, 4])
SHARED_K = torch.tensor([int(TARGET_N[0]), 3, 3, 8, 1])  # one hit at the first position, one item twice
OWN_NK = torch.randint(N_ITEMS, (N, K), generator=RANDOM)
OWN_NK[2] = TARGET_N[2]  # nothing but hits
OWN_NK[4, 1] = TARGET_N[4]


def table(sparse: bool = False) -> Ids:
    torch.manual_seed(1)
    return Ids(Sizes(D, n_items=N_ITEMS), std=1.0, sparse=sparse).double()


def drawn(loss: SampledLoss, row: Tensor) -> SampledLoss:
    """The loss with these negatives instead of random ones."""
    loss.draw.forward = lambda shape, target_N: row.expand(shape)  # type: ignore[method-assign]
    return loss


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def softmax_by_hand(own: float, others: list[tuple[int, float]], target: int, correction: str, q: Callable) -> float:
    k = K
    right = math.exp(own - (math.log(k * q(target)) if correction == "all" else 0))
    rest = sum(math.exp(s - (0 if correction == "none" else math.log(k * q(i)))) for i, s in others)
    return -math.log(right / (right + rest))


def bce_by_hand(own: float, others: list[tuple[int, float]], beta: float = 1.0) -> float:
    return -(beta * math.log(sigmoid(own)) + sum(math.log(1 - sigmoid(s)) for _, s in others)) / (K + 1)


def bpr_by_hand(own: float, others: list[tuple[int, float]]) -> float:
    return -sum(math.log(sigmoid(own - s)) for _, s in others) / K


def bpr_max_by_hand(own: float, others: list[tuple[int, float]], regularization: float) -> float:
    if not others:
        return 0.0
    total = sum(math.exp(s) for _, s in others)
    weights = [math.exp(s) / total for _, s in others]
    ranked = sum(w * sigmoid(own - s) for w, (_, s) in zip(weights, others, strict=True))
    return -math.log(ranked) + regularization * sum(w * s * s for w, (_, s) in zip(weights, others, strict=True))


def uniform(item: int) -> float:
    return 1 / N_ITEMS


def popular(item: int) -> float:
    counts = [c**0.5 for c in COUNT_I.tolist()]
    return counts[item] / sum(counts)


def in_batch(item: int) -> float:
    return int(COUNT_I[item]) / int(COUNT_I.sum())


ALPHA = K / (N_ITEMS - 1)
BETA = ALPHA * (0.75 * (1 - 1 / ALPHA) + 1 / ALPHA)
FORMULAS: dict[str, tuple[type[SampledLoss], dict, Callable]] = {
    "bce": (BCE, {}, lambda own, others, target: bce_by_hand(own, others)),
    "gbce": (GBCE, {"t": 0.75}, lambda own, others, target: bce_by_hand(own, others, BETA)),
    "bpr": (BPR, {}, lambda own, others, target: bpr_by_hand(own, others)),
    "bpr_max": (BPRMax, {"regularization": 0.3}, lambda own, others, target: bpr_max_by_hand(own, others, 0.3)),
}
for correction in ("none", "negatives", "all"):
    for source, q in (("uniform", uniform), ("popularity", popular), ("batch", in_batch)):
        FORMULAS[f"softmax-{correction}-{source}"] = (
            SampledSoftmax,
            {"correction": correction, "source": source, "exponent": 0.5},
            lambda own, others, target, c=correction, q=q: softmax_by_hand(own, others, target, c, q),
        )


def by_loop(items: Ids, row: Tensor, formula: Callable) -> float:
    w_ID, total = items.table.weight.tolist(), 0.0
    for n in range(N):
        score = [sum(a * b for a, b in zip(H_ND[n].tolist(), w_ID[i + 1], strict=True)) for i in range(N_ITEMS)]
        target = int(TARGET_N[n])
        others = [int(i) for i in (row[n] if row.ndim == 2 else row)]
        total += formula(score[target], [(i, score[i]) for i in others if i != target], target)
    return total


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", FORMULAS)
class TestFormula:
    def built(self, name: str, shared: bool) -> tuple[SampledLoss, Tensor, Callable]:
        kind, settings, formula = FORMULAS[name]
        row = SHARED_K if shared else OWN_NK
        return drawn(kind(COUNT_I, negatives=K, shared=shared, **settings), row), row, formula  # type: ignore[call-arg]

    def test_against_a_loop(self, name: str, shared: bool) -> None:
        loss, row, formula = self.built(name, shared)
        items = table()
        got = loss(Fused(H_ND, None), TARGET_N, items)
        assert float(got.detach()) == pytest.approx(by_loop(items, row, formula), rel=1e-6)

    def test_gradients(self, name: str, shared: bool) -> None:
        loss, _, _ = self.built(name, shared)
        items = table()

        def of(h_ND: Tensor, weight: Tensor) -> Tensor:
            return torch.func.functional_call(_Whole(loss, items), {"items.table.weight": weight}, (h_ND,))

        weight = items.table.weight.detach().clone().requires_grad_()
        assert torch.autograd.gradcheck(of, (H_ND.clone().requires_grad_(), weight))

    def test_chunks_change_nothing(self, name: str, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        loss, _, _ = self.built(name, shared)
        results = []
        for numbers in (2**24, 3 * K * (1 if shared else D)):  # three positions a chunk
            monkeypatch.setattr(sampled, "NUMBERS", numbers)
            items, h_ND = table(), H_ND.clone().requires_grad_()
            value = loss(Fused(h_ND, None), TARGET_N, items)
            value.backward()
            results.append((value.detach(), h_ND.grad, items.table.weight.grad))
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)

    def test_scores_that_are_no_dot_products(self, name: str, shared: bool) -> None:
        """Twin: the same scores from a fusion that scores candidate by candidate."""
        loss, _, _ = self.built(name, shared)
        items = table()
        got, twin = (loss(kind(H_ND, None), TARGET_N, items) for kind in (Fused, ByCandidate))
        assert float(got) == pytest.approx(float(twin), rel=1e-12)


class _Whole(torch.nn.Module):
    def __init__(self, loss: SampledLoss, items: Ids) -> None:
        super().__init__()
        self.loss, self.items = loss, items

    def forward(self, h_ND: Tensor) -> Tensor:
        return self.loss(Fused(h_ND, None), TARGET_N, self.items)


@dataclass(frozen=True)
class ByCandidate(Fused):
    dot: ClassVar[bool] = False

    def score(self, candidates_CD: Tensor) -> Tensor:
        return (self.interest_ND[:, None] * candidates_CD).sum(2)

    def score_own(self, candidates_NCD: Tensor) -> Tensor:
        return (self.interest_ND[:, None] * candidates_NCD).sum(2)

    def rows(self, chosen: slice) -> Fused:
        return ByCandidate(self.interest_ND[chosen], None)


@pytest.mark.parametrize("source", ["uniform", "popularity", "batch"])
def test_the_corrected_softmax_estimates_the_full_one_without_bias(source) -> None:
    """One negative, every draw weighted with its probability: the expected normaliser is that of the full softmax."""
    items, q = table(), {"uniform": uniform, "popularity": popular, "batch": in_batch}[source]
    score_NI = H_ND @ items.candidates().detach().T
    for n in range(N):
        one, target_1 = Fused(H_ND[n : n + 1], None), TARGET_N[n : n + 1]
        own, expected = float(score_NI[n, TARGET_N[n]]), 0.0
        for item in range(N_ITEMS):
            loss = drawn(SampledSoftmax(COUNT_I, negatives=1, source=source, exponent=0.5), torch.tensor([item]))
            expected += q(item) * math.exp(float(loss(one, target_1, items)) + own)
        assert expected == pytest.approx(float(score_NI[n].exp().sum()), rel=1e-5)


def test_many_negatives_come_close_to_the_full_softmax() -> None:
    items = table()
    full = float(CrossEntropy(COUNT_I, kernel="portable")(Fused(H_ND, None), TARGET_N, items))
    for source in ("uniform", "popularity", "batch"):
        torch.manual_seed(0)
        loss = SampledSoftmax(COUNT_I, negatives=100_000, source=source, exponent=0.5)
        if source == "batch":
            # Targets that come as often as their counts say; the seven of the module do not.
            loss.draw.forward = lambda shape, _: torch.multinomial(COUNT_I.double(), shape[0], replacement=True)  # type: ignore[method-assign]
        assert float(loss(Fused(H_ND, None), TARGET_N, items)) == pytest.approx(full, rel=0.01)


def test_uniform_negatives_need_no_correction_where_the_right_item_is_corrected_too() -> None:
    values = [
        float(drawn(SampledSoftmax(COUNT_I, negatives=K, correction=c), SHARED_K)(Fused(H_ND, None), TARGET_N, table()))
        for c in ("none", "all", "negatives")
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6) and values[0] != pytest.approx(values[2], rel=1e-2)


def test_gbce_without_calibration_is_bce() -> None:
    of = [
        float(drawn(loss, SHARED_K)(Fused(H_ND, None), TARGET_N, table()))
        for loss in (GBCE(COUNT_I, negatives=K, t=0.0), BCE(COUNT_I, negatives=K, shared=True))
    ]
    assert of[0] == pytest.approx(of[1], rel=1e-12)
    # t = 1: beta is alpha, the share of the negatives that is sampled (here K = 4 of 8).
    assert GBCE(COUNT_I, negatives=4, t=1.0).beta == pytest.approx(0.5)
    assert GBCE(COUNT_I, negatives=500, t=1.0).beta == 1.0, "all are sampled: nothing to calibrate"


def test_a_position_whose_draws_are_all_hits_is_finite() -> None:
    for name, (kind, settings, _) in FORMULAS.items():
        loss = drawn(kind(COUNT_I, negatives=2, shared=True, **settings), torch.full((2,), int(TARGET_N[0])))  # type: ignore[call-arg]
        h_ND = H_ND.clone().requires_grad_()
        value = loss(Fused(h_ND[:1], None), TARGET_N[:1], table())
        value.backward()
        assert torch.isfinite(value) and h_ND.grad is not None and torch.isfinite(h_ND.grad).all(), name


@pytest.mark.parametrize("kind", [SampledSoftmax, BCE, GBCE, BPR, BPRMax])
class TestEvery:
    def test_sparse_gradients_hold_looked_up_rows_only(self, kind) -> None:
        dense, sparse = table(), table(sparse=True)
        loss = kind(COUNT_I, negatives=2)
        looked_up = {int(i) + 1 for i in TARGET_N}
        for items in (dense, sparse):
            torch.manual_seed(5)
            loss(Fused(H_ND, None), TARGET_N, items).backward()
        got, expected = sparse.table.weight.grad, dense.table.weight.grad
        assert got is not None and got.is_sparse and expected is not None and not expected.is_sparse
        torch.testing.assert_close(got.to_dense(), expected)
        torch.manual_seed(5)
        shape = (2,) if loss.shared else (N, 2)
        looked_up |= {int(i) + 1 for i in loss.draw(shape, TARGET_N).flatten()}
        assert set(got.coalesce().indices().flatten().tolist()) <= looked_up

    def test_it_says_that_it_samples(self, kind) -> None:
        assert kind.sampled and not CrossEntropy.sampled and not Loss.sampled

    def test_wrong_settings(self, kind) -> None:
        with pytest.raises(UserError, match=r"loss\.negatives=0"):
            kind(COUNT_I, negatives=0)
        with pytest.raises(UserError, match=r"loss\.exponent=-1"):
            kind(COUNT_I, exponent=-1)
        with pytest.raises(UserError, match="at least 2 items"):
            kind(torch.ones(1))

    def test_half_precision_scores_are_summed_in_float32(self, kind) -> None:
        items = Ids(Sizes(D, n_items=N_ITEMS)).bfloat16()
        assert kind(COUNT_I)(Fused(H_ND.bfloat16(), None), TARGET_N, items).dtype == torch.float32


def test_wrong_settings_of_one_loss() -> None:
    with pytest.raises(UserError, match=r"loss\.t=1\.5"):
        GBCE(COUNT_I, t=1.5)
    with pytest.raises(UserError, match=r"loss\.regularization=-1"):
        BPRMax(COUNT_I, regularization=-1)
