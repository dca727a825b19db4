"""How many items a part knows nothing of is said once, never passed over."""

from __future__ import annotations

import warnings

import numpy as np

from research.items.content import Content


def say_missing(what: str, known_I: np.ndarray, content: Content | None) -> None:
    """Warn of items without ``what``, with their number and the first of them.

    Args:
        what: such as ``text``.
        known_I: which items have it.
        content: of the items; nothing is said without.
    """
    absent = np.flatnonzero(~known_I)
    if content is None or not len(absent):
        return
    first = ", ".join(map(str, content.item_ids[absent[:3]].tolist()))
    warnings.warn(
        f"{content.name}: {len(absent):,} of {len(known_I):,} items have no {what} (such as {first}).", stacklevel=3
    )
