"""STAMP's product of three: by loops, with the item as the third factor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from small_world import N_ITEMS, D, World, own, same, states

from research.fusion.trilinear import Trilinear

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_score_is_a_product_of_three(world: World, built) -> None:
    fusion = built(Trilinear)
    fused, w = fusion(world.views()), own(fusion)
    score_NC, x_CD = fused.score(world.candidates_CD), world.candidates_CD.detach().numpy()
    for n, (long_D, short_D) in enumerate(zip(*states(world), strict=True)):
        cells = []
        for name, state in (("of_long", long_D), ("of_short", short_D)):
            weight, bias = (np.asarray(w[f"{name}.{kind}"]) for kind in ("weight", "bias"))
            cells.append([math.tanh(sum(weight[d, e] * state[e] for e in range(D)) + bias[d]) for d in range(D)])
        same(score_NC[n], [sum(cells[0][d] * cells[1][d] * x_CD[c, d] for d in range(D)) for c in range(N_ITEMS)])
    assert fused.weight_N2 is None
