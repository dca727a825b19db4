"""``named("sasrec")`` is a published model over rows made by hand; see ``published``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from published import Published, published


@pytest.fixture
def named(make_histories, make_batch) -> Callable[..., Published]:
    """``named("sasrec", "window.k=2")``: with further words."""
    return lambda name, *words: published(name, make_histories, make_batch, *words)
