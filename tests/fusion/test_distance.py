"""Distances by loops, what they become as a dot product, and training and ranking over them.

Shape legend: N asked positions, C candidates, D width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_world import N_ITEMS, SIZES, D, World, same, states

from research.errors import UserError
from research.evaluation.ranks import count_better
from research.evaluation.scores import CandidateScores, DenseScores
from research.fusion.distance import Distance
from research.items.ids import Ids
from research.losses.bpr import BPR
from research.losses.cross_entropy import CrossEntropy

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(world: World, w: float) -> np.ndarray:
    x_CD = world.candidates_CD.detach().numpy() * np.sqrt(D)
    return np.array(
        [
            [-w * sum((long_D - x_D) ** 2) - (1 - w) * sum((short_D - x_D) ** 2) for x_D in x_CD]
            for long_D, short_D in zip(*states(world), strict=True)
        ]
    )


@pytest.mark.parametrize("w", [0.0, 0.2, 0.5, 1.0])
def test_scores_are_distances(world: World, w: float) -> None:
    fused = Distance(SIZES, long_share=w)(world.views())
    same(fused.score(world.candidates_CD), expected(world, w))
    same(fused.weight_N2, [[w, 1 - w]] * len(fused))
    long_ND, short_ND = states(world)
    same(fused.interest_ND, w * long_ND + (1 - w) * short_ND)


def test_it_ranks_as_a_dot_product_with_a_bias_an_item(world: World) -> None:
    fused, x_CD = Distance(SIZES, long_share=0.3)(world.views()), world.candidates_CD
    dots_NC = 2 * D**0.5 * fused.interest_ND @ x_CD.t() - D * x_CD.square().sum(1)
    apart_NC = fused.score(x_CD) - dots_NC
    same(apart_NC - apart_NC[:, :1], np.zeros(apart_NC.shape))
    assert apart_NC[:, 0].std() > 0.1, "a loss of one score alone sees the number a position"


@pytest.fixture
def items(world: World) -> Ids:
    table = Ids(SIZES).double()
    table.table.weight.data.copy_(world.table.detach())
    return table


def test_losses_see_the_distances(world: World, items: Ids) -> None:
    fused, score_NC = Distance(SIZES)(world.views()), expected(world, 0.5)
    target_N = torch.arange(len(fused)) * 5 % N_ITEMS
    own_N = score_NC[np.arange(len(fused)), target_N]
    got = CrossEntropy(torch.ones(N_ITEMS))(fused, target_N, items)
    assert float(got.detach()) == pytest.approx((np.log(np.exp(score_NC).sum(1)) - own_N).sum())
    pairs = BPR(torch.ones(N_ITEMS), shared=True)
    pairs.draw.forward = lambda shape, target_N: torch.tensor([2])  # type: ignore[method-assign]
    each_N = np.log1p(np.exp(score_NC[:, 2] - own_N))
    assert float(pairs(fused, target_N, items).detach()) == pytest.approx(each_N[target_N.numpy() != 2].sum())


def test_gradients(world: World, items: Ids) -> None:
    def of(long_ND, short_ND, x_CD):
        return Distance(SIZES, long_share=0.3).fuse(long_ND, short_ND).score(x_CD)

    long_ND, short_ND = torch.randn(2, 3, D, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(of, (long_ND, short_ND, torch.randn(4, D, dtype=torch.float64, requires_grad=True)))


@pytest.mark.parametrize("chunk", [1, 4, 4096])
def test_the_whole_catalogue_is_ranked_in_chunks(world: World, chunk: int) -> None:
    fused = Distance(SIZES, long_share=0.2)(world.views())
    target_N = torch.arange(len(fused)) * 7 % N_ITEMS
    seen_row_S, seen_item_S = torch.tensor([0, 0, 3]), torch.tensor([1, 2, 4])
    with torch.no_grad():
        dense = DenseScores(torch.from_numpy(expected(world, 0.2)).float())
        right = count_better(dense, target_N, seen_row_S, seen_item_S)
        scores = CandidateScores(fused, world.candidates_CD)
        got = count_better(scores, target_N, seen_row_S, seen_item_S, chunk=chunk)
    assert all(torch.equal(one, other) for one, other in zip(got, right, strict=True))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_weight_out_of_range(share: float) -> None:
    with pytest.raises(UserError, match=rf"fusion\.long_share={share}"):
        Distance(SIZES, long_share=share)
