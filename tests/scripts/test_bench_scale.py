"""The formula of a step's work against the products that torch counts, and the document against the formula."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from research.data.batch import Batch, Positions
from research.encoders.transformer import Transformer
from research.fusion.long_only import LongOnly
from research.items.ids import Ids
from research.losses.cross_entropy import CrossEntropy
from research.model import InterestModel
from research.sizes import Sizes
from scripts.bench.scale import Plan, forward_flops, memory_table, work_table

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(("b", "t", "d", "inner", "blocks", "n_items"), [(3, 8, 16, 16, 2, 50), (2, 5, 8, 24, 1, 30)])
def test_the_formula_is_what_torch_counts(b: int, t: int, d: int, inner: int, blocks: int, n_items: int) -> None:
    sizes = Sizes(d, t, n_items)
    long = Transformer(sizes, blocks=blocks, inner=inner)
    model = InterestModel(Ids(sizes), LongOnly(sizes), long=long, short=None, window=None)
    items_BT = torch.randint(1, n_items + 1, (b, t))
    times_BT = torch.zeros_like(items_BT)
    batch = Batch(torch.arange(b), items_BT, times_BT, times_BT, torch.full((b,), t))
    at = Positions.where(items_BT > 0)
    loss = CrossEntropy(torch.ones(n_items), kernel="fused", precision="fp32", chunk=128)
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            fused = model(batch, at)
        with FlopCounterMode(display=False) as rest:
            loss(fused, items_BT.flatten() - 1, model.items).backward()
    # The plain kernel multiplies the whole square of a row; a causal one may leave out the upper half.
    body, _ = forward_flops(b * t, b * t * t, n_items, width=d, inner=inner, blocks=blocks)
    assert forward.get_total_flops() == body
    # The fused loss fills positions up to 128 and takes three products; the body's backward takes twice its forward.
    _, scores = forward_flops(128, 0, n_items, width=d)
    assert rest.get_total_flops() == 2 * body + 3 * scores


def test_by_hand() -> None:
    assert forward_flops(10, 0, 0, width=4, blocks=1) == (2 * 10 * (4 * 16 + 2 * 16), 0)
    assert forward_flops(0, 55, 0, width=4, blocks=1) == (4 * 55 * 4, 0)
    assert forward_flops(10, 0, 7, width=4, blocks=0) == (0, 2 * 10 * 4 * 7)
    plan = Plan(1000, 1e6, 4, width=10, tokens=100)
    assert plan.table_bytes == 40_000 and plan.ddp_bytes == 160_000
    assert plan.ddp_traffic == 1.5 * 40_000 and plan.fsdp_traffic == 2.25 * 40_000
    assert plan.touched_bytes == 4 * 10 * 100
    assert plan.sharded_bytes == 30_000 + 8000
    # Looked-up rows both ways, states of three others both ways, their maxima and sums.
    assert plan.sharded_traffic == 2 * 0.75 * 4000 + 2 * 4 * 10 * 100 * 3 + 2 * 4 * 100 * 3
    assert Plan(1000, 1e6, 4, width=10, tokens=100, negatives=50).sharded_traffic == 2 * 0.75 * 4 * 10 * 150


def test_the_document_holds_these_tables() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text()
    for table in (work_table(), memory_table()):
        assert table in text, "python -m scripts.bench.scale prints the tables of docs/scaling.md"
