"""Which carried columns a model reads: a part says so, and only then are they cut into batches."""

from __future__ import annotations

from collections.abc import Iterable

from research.data.histories import Histories
from research.errors import UserError


class ReadsColumns:
    """Mixed into a part of a model that reads ``Batch.columns``; it says which when it is built."""

    columns: tuple[str, ...] = ()


def columns_read(parts: Iterable[object], histories: Histories) -> tuple[str, ...]:
    """The names of all columns that any of the parts reads, in alphabetical order.

    Args:
        parts: such as ``model.modules()``.
        histories: the dataset.

    Raises:
        UserError: the dataset does not have one of them.
    """
    names = tuple(sorted({name for part in parts if isinstance(part, ReadsColumns) for name in part.columns}))
    for name in names:
        if name not in histories.columns:
            known = ", ".join(histories.columns) or "none"
            raise UserError(f"The model reads the column {name!r}, and {histories.name!r} has: {known}.")
    return names
