"""An assertion that python -O keeps."""

from __future__ import annotations

from torch import Tensor


def expect(true: bool | Tensor, words: str) -> None:
    """Raise an AssertionError with these words unless it is true."""
    if not true:
        raise AssertionError(words)
