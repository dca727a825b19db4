"""Both attentions of SHAN: by loops over the items before the window and those in it.

Shape legend: N asked positions.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_world import ITEMS, POSITIONS, D, World, linear, own, same, softmax, start, states

from research.data.batch import Positions
from research.fusion.two_attentions import TwoAttentions

pytestmark = pytest.mark.usefixtures("one_thread")


def answered(weights: dict, name: str, met: list[np.ndarray], query_D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = softmax(np.array([np.maximum(linear(x, weights, name), 0) @ query_D for x in met]))
    return share @ np.stack(met), share


@pytest.mark.parametrize("overlap", [True, False])
def test_by_loops(world: World, built, overlap: bool) -> None:
    fusion = built(TwoAttentions)
    fused, weights = fusion(world.views(overlap=overlap)), own(fusion)
    some = 0
    for n, ((b, t), query_D) in enumerate(zip(POSITIONS, states(world)[1], strict=True)):
        items = [world.table[item].detach().numpy() * D**0.5 for item in ITEMS[b][: t + 1]]
        before, window = items[: start(b, t)], items[start(b, t) :]
        long_D = answered(weights, "before", before, query_D)[0] if before else np.zeros(D)
        interest_D, share = answered(weights, "among", [long_D, *window], query_D)
        same(fused.interest_ND[n], interest_D)
        same(fused.weight_N2[n], [share[0], share[1:].sum()])
        some += bool(before)
    assert 0 < some < len(POSITIONS), "windows with and without items before them"


def test_an_empty_window_leaves_the_long_vector(world: World, built) -> None:
    """As when the latest hours are hidden while training: no items, no query, and nothing undefined."""
    at = Positions(torch.tensor([0, 1, 2]), torch.tensor([5, 2, 0]))
    views = world.views(at=at, end_N=world.start_of(at) - 1)
    fused = built(TwoAttentions)(views)
    same(fused.weight_N2, [[1, 0]] * 3)
    for n, (b, t) in enumerate(((0, 5), (1, 2), (2, 0))):
        before = [world.table[item].detach().numpy() * D**0.5 for item in ITEMS[b][: start(b, t)]]
        same(fused.interest_ND[n], np.mean(before, axis=0) if before else np.zeros(D))
    fused.interest_ND.square().sum().backward()
    assert torch.isfinite(world.table.grad).all()  # type: ignore[arg-type]
