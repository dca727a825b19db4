"""Auxiliary terms: each formula in a loop over positions, and gradients to both branches.

Shape legend: N supervised positions, D width.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from research.auxiliary.contrast import Contrast
from research.auxiliary.decorrelation import Decorrelation
from research.auxiliary.label_smoothing import LabelSmoothing
from research.auxiliary.next_step import NextStep
from research.data.batch import Positions
from research.errors import UserError
from research.fusion.base import Fused
from research.items.ids import Ids
from research.objectives.base import Supervised
from research.sizes import Sizes

pytestmark = pytest.mark.usefixtures("one_thread")

D, N_ITEMS = 4, 6
SIZES = Sizes(D, n_items=N_ITEMS)
MASK = N_ITEMS + 1
ROWS = [[1, 2, 3, 4, 5, 6, 2], [3, 1], [6, 5, MASK, 3, 2, 1]]


@pytest.fixture
def made(make_batch):
    """A batch with states of both branches at every position, as a model would hand them to a term."""
    batch = make_batch(ROWS)
    torch.manual_seed(0)
    items = Ids(SIZES, std=1.0).double()
    at = Positions.where(batch.items_BT > 0)
    n = len(at)
    long_ND, short_ND = (torch.randn(n, D, dtype=torch.float64).requires_grad_() for _ in range(2))
    views: Any = SimpleNamespace(
        batch=batch,
        at=at,
        rows=SimpleNamespace(x_BTD=items(batch.items_BT)),
        long_ND=long_ND,
        short_ND=short_ND,
        start_N=(at.position_N - 1).clamp(min=0),
        end_N=at.position_N,
    )
    supervised = Supervised(batch, at, torch.randint(1, N_ITEMS + 1, (n,)))
    return SimpleNamespace(views=views, fused=Fused(long_ND + short_ND, None), supervised=supervised, items=items)


def value(term, made) -> Tensor:
    return term(made.views, made.fused, made.supervised, made.items)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def apart(a: list[float], b: list[float]) -> float:
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def mean(vectors: list[list[float]]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)] if vectors else [0.0] * D


@pytest.mark.parametrize("form", ["triplet", "bpr"])
@pytest.mark.parametrize(("recent", "threshold"), [(3, 4), (1, 0), (None, 2), (100, 5)])
def test_contrast_against_a_loop(made, form, recent: int | None, threshold: int) -> None:
    w = made.items.table.weight.tolist()
    expected, n, used = 0.0, 0, 0
    for row in ROWS:
        for position in range(len(row)):
            long, short = made.views.long_ND[n].tolist(), made.views.short_ND[n].tolist()
            n += 1
            # The window of the views above is the last two positions.
            first = max(0, position + 1 - (2 if recent is None else recent))
            seen = [i for i in row[: position + 1] if i != MASK]
            if len(seen) <= threshold:
                continue
            used += 1
            far = mean([w[i] for i in seen])
            near = mean([w[i] for i in row[first : position + 1] if i != MASK])
            for anchor, positive, negative in (
                (long, far, near),
                (far, long, short),
                (short, near, far),
                (near, short, long),
            ):
                if form == "bpr":
                    expected += math.log(1 + math.exp(dot(anchor, negative) - dot(anchor, positive)))
                else:
                    expected += max(0.0, apart(anchor, positive) - apart(anchor, negative) + 0.5)
    assert used > 0
    term = Contrast(SIZES, weight=0.2, form=form, recent=recent, threshold=threshold, margin=0.5)
    assert float(value(term, made).detach()) == pytest.approx(0.2 * expected, rel=1e-9)


def test_short_histories_are_not_contrasted(made) -> None:
    term = Contrast(SIZES, threshold=7)
    assert float(value(term, made).detach()) == 0


def test_next_step_against_a_loop(made) -> None:
    n = len(made.supervised.target_N)
    torch.manual_seed(8)
    got = float(value(NextStep(SIZES, weight=0.7), made).detach())
    torch.manual_seed(8)
    drawn = torch.randint(N_ITEMS, (n,)).tolist()
    target = (made.supervised.target_N - 1).tolist()
    assert any(a == b for a, b in zip(drawn, target, strict=True)), "a hit is among the draws"
    w, expected = made.items.table.weight.tolist(), 0.0
    for state_ND in (made.views.long_ND, made.views.short_ND):
        for i, state in enumerate(state_ND.tolist()):
            expected -= math.log(sigmoid(dot(state, w[target[i] + 1])))
            if drawn[i] != target[i]:
                expected -= math.log(1 - sigmoid(dot(state, w[drawn[i] + 1])))
    assert got == pytest.approx(0.7 * expected, rel=1e-9)


def test_label_smoothing_is_torchs(made) -> None:
    """Beside the plain cross-entropy it makes torch's own smoothed one, gradients too."""
    target_N, weight = made.supervised.target_N - 1, made.items.table.weight
    score_NI = made.fused.interest_ND @ made.items.candidates().T
    expected = F.cross_entropy(score_NI, target_N, reduction="sum", label_smoothing=0.3)
    got = F.cross_entropy(score_NI, target_N, reduction="sum") + value(LabelSmoothing(SIZES, weight=0.3), made)
    torch.testing.assert_close(got, expected)
    leaves = [weight, made.views.long_ND]
    for one, other in zip(
        torch.autograd.grad(got, leaves, retain_graph=True), torch.autograd.grad(expected, leaves), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_label_smoothing_refuses_scores_that_are_no_dot_products(made) -> None:
    class ByCandidate(Fused):
        dot = False

    made.fused = ByCandidate(made.fused.interest_ND, None)
    with pytest.raises(UserError, match="label_smoothing needs scores that are dot products"):
        value(LabelSmoothing(SIZES), made)


@pytest.mark.parametrize("term", [Contrast(SIZES, threshold=1), NextStep(SIZES), Decorrelation(SIZES)])
def test_gradients_reach_both_branches(made, term) -> None:
    def of(long_ND: Tensor, short_ND: Tensor) -> Tensor:
        torch.manual_seed(8)
        made.views.long_ND, made.views.short_ND = long_ND, short_ND
        return value(term, made)

    long_ND, short_ND = made.views.long_ND, made.views.short_ND
    assert torch.autograd.gradcheck(of, (long_ND, short_ND))
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(of(long_ND, short_ND), (long_ND, short_ND)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Contrast(SIZES, weight=0), "weight=0"),
        (lambda: Contrast(SIZES, recent=0), "recent=0"),
        (lambda: Contrast(SIZES, threshold=-1), "threshold=-1"),
        (lambda: Contrast(SIZES, margin=-1), "margin=-1"),
        (lambda: NextStep(SIZES, weight=-1), "next_step.weight=-1"),
        (lambda: LabelSmoothing(SIZES, weight=1), "label_smoothing.weight=1"),
    ],
)
def test_wrong_settings(build, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build()
