"""The sizes that a run's parts share: what they are built with, beside their own settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Every part is constructed as ``Part(sizes, *, ...)``; the keyword arguments are its configuration.

    Attributes:
        width: of item vectors and of states, the same in every arm.
        max_length: longest row that an encoder meets.
        n_items: catalogue size; items are numbered from 1.
        n_users: users are numbered from 0.
    """

    width: int
    max_length: int = 200
    n_items: int = 1
    n_users: int = 1
