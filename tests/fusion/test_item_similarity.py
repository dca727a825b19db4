"""FISSA's gate: every candidate mixed, normed and multiplied by a loop; training and ranking over such scores.

Shape legend: N asked positions, C candidates, D width.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_world import ITEMS, N_ITEMS, POSITIONS, SIZES, D, World, own, same, sigmoid, states
from torch.nn import functional as F

from research.evaluation.ranks import count_better
from research.evaluation.scores import CandidateScores, DenseScores
from research.fusion.item_similarity import ItemSimilarity, NormedMixture
from research.items.ids import Ids
from research.losses.cross_entropy import CrossEntropy

pytestmark = pytest.mark.usefixtures("one_thread")


def expected(world: World, w: dict) -> tuple[np.ndarray, np.ndarray]:
    """Scores and shares of the long branch."""
    score_NC, share_NC = np.empty((2, len(POSITIONS), N_ITEMS))
    for n, ((b, t), long_D, short_D) in enumerate(zip(POSITIONS, *states(world), strict=True)):
        last_D = world.table[ITEMS[b][t]].detach().numpy() * np.sqrt(D)
        for c, x_D in enumerate(world.candidates_CD.detach().numpy()):
            asked = np.concatenate([long_D, last_D, x_D * np.sqrt(D)])
            gate = sigmoid(np.concatenate([w["gate.weight"][0], w["read.weight"][0]]) @ asked + w["gate.bias"][0])
            z_D = gate * short_D + (1 - gate) * long_D
            normed_D = (z_D - z_D.mean()) / np.sqrt(z_D.var() + 1e-5) * w["norm.weight"] + w["norm.bias"]
            score_NC[n, c], share_NC[n, c] = normed_D @ x_D, 1 - gate
    return score_NC, share_NC


def test_by_loops(world: World, built) -> None:
    fusion = built(ItemSimilarity)
    fused, (score_NC, share_NC) = fusion(world.views()), expected(world, own(fusion))
    assert share_NC.std(axis=0).min() > 0.001 and share_NC.std(axis=1).min() > 0.001, "else the test says little"
    x_CD = world.candidates_CD
    same(fused.score(x_CD), score_NC)
    same(fused.score_own(x_CD.expand(len(fused), -1, -1)), score_NC)
    same(fused.share(x_CD), share_NC)
    same(fused.share_own(x_CD.expand(len(fused), -1, -1)), share_NC)
    assert fused.weight_N2 is None


def test_the_one_vector_is_the_normed_mean(world: World, built) -> None:
    fusion = built(ItemSimilarity)
    mean_ND = torch.from_numpy(sum(states(world)) / 2)
    normed_ND = F.layer_norm(mean_ND, (D,), fusion.norm.weight, fusion.norm.bias)
    same(fusion(world.views()).interest_ND, normed_ND.detach().numpy())


def test_opposite_states_leave_nothing_undefined() -> None:
    """Where the mixture is a vector of zeros, its variance is nearly nothing, and only the shift is left."""
    h_1D = torch.tensor([[1.0, -1.0, 2.0, -2.0]]) * 1e3
    zero_1, zero_1D, scale_D, shift_D = torch.zeros(1), torch.zeros(1, 4), torch.ones(4), torch.full((4,), 0.5)
    fused = NormedMixture(zero_1D, None, h_1D, -h_1D, zero_1, zero_1D, scale_D, shift_D)
    torch.testing.assert_close(fused.score(torch.ones(2, 4)), torch.full((1, 2), 2.0))


def test_training_by_a_loop(world: World, built) -> None:
    items = Ids(SIZES).double()
    items.table.weight.data.copy_(world.table.detach())
    fusion = built(ItemSimilarity)
    target_N = torch.arange(len(POSITIONS)) * 5 % N_ITEMS
    score_NC = expected(world, own(fusion))[0]
    total = (np.log(np.exp(score_NC).sum(1)) - score_NC[np.arange(len(POSITIONS)), target_N]).sum()
    for chunk in (1, 48, 1024):
        loss = CrossEntropy(torch.ones(N_ITEMS), chunk=chunk)(fusion(world.views()), target_N, items)
        assert float(loss.detach()) == pytest.approx(total)
    learned = [*fusion.parameters(), *world.long.parameters(), *world.short.parameters()]
    optimizer, values = torch.optim.Adam(learned, lr=0.01), []
    for _ in range(30):
        value = CrossEntropy(torch.ones(N_ITEMS))(fusion(world.views()), target_N, items)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.8 * values[0]


@pytest.mark.parametrize("chunk", [1, 4, 4096])
def test_ranking_in_chunks(world: World, built, chunk: int) -> None:
    fusion = built(ItemSimilarity)
    fused = fusion(world.views())
    target_N = torch.arange(len(fused)) * 7 % N_ITEMS
    seen_row_S, seen_item_S = torch.tensor([0, 0, 3]), torch.tensor([1, 2, 4])
    with torch.no_grad():
        dense = DenseScores(torch.from_numpy(expected(world, own(fusion))[0]).float())
        right = count_better(dense, target_N, seen_row_S, seen_item_S)
        got = count_better(CandidateScores(fused, world.candidates_CD), target_N, seen_row_S, seen_item_S, chunk=chunk)
        copies_CD, nothing = world.candidates_CD.repeat(2, 1), torch.zeros(0, dtype=torch.int64)
        _, ties_N, _ = count_better(CandidateScores(fused, copies_CD), target_N, nothing, nothing)
    assert all(torch.equal(one, other) for one, other in zip(got, right, strict=True))
    assert (ties_N >= 1).all(), "an item and its copy"
