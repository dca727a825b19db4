"""Views over a few rows, and fusions to be handed them; see ``small_world``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from research.checks.world import SIZES, World, moved, small_world
from research.fusion.base import Fusion


@pytest.fixture
def world() -> World:
    """A Transformer over the history and a GRU over windows of one to three items."""
    return small_world()


@pytest.fixture(scope="session")
def built() -> Callable[..., Fusion]:
    """``built(Gated, elementwise=False)`` in float64, away from its initial weights."""

    def build(kind: type[Fusion], **settings: object) -> Fusion:
        torch.manual_seed(1)
        return moved(kind(SIZES, **settings), 4)  # type: ignore[call-arg, return-value]

    return build
