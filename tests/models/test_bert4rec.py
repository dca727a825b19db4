"""BERT4Rec from torch's own layers, the view of a test and of training item by item, and the softmax over all items."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from published import ITEMS, N_ITEMS
from recomputed import embedded, linear, normed, torch_layer

pytestmark = pytest.mark.usefixtures("one_thread")

MASK = N_ITEMS + 1


def states(model, row: list[int], blocks: int = 1) -> np.ndarray:
    """``(T, I)`` scores at every position of a row, which sees all of it."""
    w = model.weights
    h_1TD = torch.from_numpy(embedded(model, row) + w["long.positions.weight"][: len(row)])[None]
    for i in range(blocks):
        with torch.no_grad():
            h_1TD = torch_layer(w, f"long.blocks.{i}", 2, "gelu")(h_1TD)
    scores = []
    for h in h_1TD[0].numpy():
        z = linear(w, "long.out", normed(w, "long.norm", h))
        z = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in z])
        scores.append(model.items_ID @ normed(w, "long.norm_out", z))
    return np.stack(scores)


@pytest.mark.parametrize("blocks", [1, 2])
def test_score_where_nothing_is_hidden(named, blocks: int) -> None:
    model = named("bert4rec", f"blocks={blocks}")
    assert model.parts.model.long.blocks[0].heads == 2
    expected = np.concatenate([states(model, row, blocks) for row in ITEMS])
    np.testing.assert_allclose(model.scores(), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_test_asks_behind_the_history(named, blocks: int) -> None:
    """The view is every item and a mask where the next one would stand."""
    model = named("bert4rec", f"blocks={blocks}")
    batch, at = model.parts.objective.query(model.batch, model.batch.times_BT[:, -1] + 3600)
    rows = [[*row, MASK] for row in ITEMS]
    assert [batch.items_BT[b, : len(row)].tolist() for b, row in enumerate(rows)] == rows
    assert at.position_N.tolist() == [len(row) for row in ITEMS]
    with torch.no_grad():
        got = model.parts.model(batch, at).score(model.parts.model.items.candidates()).numpy()
    expected = np.stack([states(model, row, blocks)[-1] for row in rows])
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


def test_loss(named) -> None:
    """Every hidden item is a mask, all else stands; -log softmax over all items, at hidden positions only."""
    model = named("bert4rec", "loss.precision=fp32", "objective.rate=0.4")
    model_, loss = model.parts.model, model.parts.loss
    supervised = model.parts.objective.supervise(model.batch, np.random.default_rng(1))
    asked = list(zip(supervised.at.row_N.tolist(), supervised.at.position_N.tolist(), strict=True))
    hidden = [[MASK if (b, t) in asked else item for t, item in enumerate(row)] for b, row in enumerate(ITEMS)]
    assert {b for b, _ in asked} == set(range(len(ITEMS))) and len(asked) < sum(map(len, ITEMS))
    assert [supervised.batch.items_BT[b, : len(row)].tolist() for b, row in enumerate(hidden)] == hidden
    total = 0.0
    for b, t in asked:
        scores = states(model, hidden[b])[t]
        total -= np.log(np.exp(scores[ITEMS[b][t] - 1]) / np.exp(scores).sum())
    with torch.no_grad():
        got = loss(model_(supervised.batch, supervised.at), supervised.target_N - 1, model_.items)
    assert float(got) == pytest.approx(total, abs=1e-9)
    assert named("bert4rec").parts.objective.rate == 0.2
