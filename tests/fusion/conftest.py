"""Views over a few rows, and fusions to be handed them; see ``small_world``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from small_world import HOUR, ITEMS, LATER, N_ITEMS, SIZES, TIMES, D, World, moved

from research.encoders.gru import GRU
from research.encoders.transformer import Transformer
from research.fusion.base import Fusion


@pytest.fixture
def world(make_batch) -> World:
    """A Transformer over the history and a GRU over windows of one to three items."""
    batch = make_batch(ITEMS, [[hours * HOUR for hours in row] for row in TIMES])
    later_B1 = HOUR * torch.tensor(LATER)[:, None]
    last_BT = torch.arange(7) == (batch.length_B - 1)[:, None]
    batch = replace(batch, now_BT=torch.where(last_BT, batch.times_BT + later_B1, batch.now_BT))
    table = torch.randn(N_ITEMS + 2, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.manual_seed(0)
    long, short = moved(Transformer(SIZES, dropout=0.0), 1), moved(GRU(SIZES, dropout=0.0), 2)
    return World(batch, table.requires_grad_(), long, short)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def built() -> Callable[..., Fusion]:
    """``built(Gated, elementwise=False)`` in float64, away from its initial weights."""

    def build(kind: type[Fusion], **settings: object) -> Fusion:
        torch.manual_seed(1)
        return moved(kind(SIZES, **settings), 4)  # type: ignore[call-arg, return-value]

    return build
