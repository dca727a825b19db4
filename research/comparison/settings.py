"""Which keys of two runs' configurations differ, as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from research.spelling import plain

UNSAID = ("paths", "logger", "seed")
"""Keys that name no method."""

ABSENT = "–"


def different_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Dotted key -> its two values, for keys with different ones.

    Args:
        first: a record; its ``config`` is read.
        second: likewise.
    """
    one, other = (_flat(record.get("config") or {}) for record in (first, second))
    keys = list(dict.fromkeys([*one, *other]))
    values = {key: (one.get(key, ABSENT), other.get(key, ABSENT)) for key in keys}
    return {key: pair for key, pair in values.items() if pair[0] != pair[1]}


def _flat(config: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}

    def visit(node: Any, key: str) -> None:
        if isinstance(node, Mapping) and node:
            for name, value in node.items():
                # A part is called by the file of its class, as labels do.
                visit(value, key if name == "_target_" else f"{key}.{name}".lstrip("."))
        elif isinstance(node, str) and node.startswith("research.") and node.count(".") > 1:
            flat[key] = node.split(".")[-2]
        else:
            flat[key] = plain(node)

    for name, value in config.items():
        if name not in UNSAID:
            visit(value, str(name))
    return flat
