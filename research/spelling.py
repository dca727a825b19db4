"""How a configuration spells a value."""

from __future__ import annotations


def plain(value: object) -> str:
    """``true`` and not ``True``, ``null`` and not ``None``."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
