"""Of a log of several behaviours, such as view, cart and buy: the ones that count as an interaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


def check_behaviours(name: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    """Check a source's setting.

    Raises:
        UserError: a behaviour that the source does not have.
    """
    for one in wanted:
        if one not in known:
            raise UserError(f"{name} has no behaviour {one!r}. Known: {', '.join(known)}; none named: all.")


def keep_behaviours(rows: pl.DataFrame, wanted: Sequence[str], known: Sequence[str], name: str) -> pl.DataFrame:
    """The rows whose ``behaviour`` is wanted, all when none is named.

    Raises:
        UserError: the file has a behaviour that is not known.
    """
    import polars as pl

    if strange := sorted(set(rows["behaviour"].unique()) - set(known)):
        raise UserError(f"{name} has a behaviour {strange[0]!r}; expected {', '.join(known)}. Is it the right file?")
    return rows.filter(pl.col("behaviour").is_in(list(wanted))) if wanted else rows
