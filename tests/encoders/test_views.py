"""What every encoder promises about its views: causality, windows that nothing leaks into, padding that plays no part.

The promises themselves are ``research.checks.encoders``, which others try on encoders of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from research.checks.encoders import PROMISES, PROMISES_OF_WINDOWS, everywhere, rows_as_batch
from research.encoders.base import Encoder
from research.schema import settings_of
from research.windows.base import Window

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {"LastK": {"k": 3}, "Session": {"gap": 30}, "Days": {"days": 1}}
"""Settings whose windows are short on these rows. A new window without any here runs with its defaults."""


@pytest.fixture
def window(window_class: type[Window]) -> Window:
    made = window_class(**SMALL.get(window_class.__name__, {}))
    batch = rows_as_batch()
    start_N = made(batch, everywhere(batch.length_B))
    assert (start_N > 1).any() or window_class.whole, f"give {window_class.__name__} short windows in SMALL"
    return made


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_every_encoder_keeps(promise: Callable, encoder_class: type[Encoder]) -> None:
    promise(encoder_class)


@pytest.mark.parametrize("promise", PROMISES_OF_WINDOWS, ids=lambda promise: promise.__name__)
def test_every_encoder_keeps_in_every_window(
    promise: Callable, encoder_class: type[Encoder], window_class: type[Window], window: Window
) -> None:
    promise(encoder_class, window)


def test_every_encoder_has_a_dropout(encoder_class: type[Encoder]) -> None:
    """The dial ``dropout`` of a run reaches every arm."""
    assert "dropout" in settings_of(encoder_class)
