"""Which rows of a source are kept: rating threshold, repeats, k-core; every step counted.

The steps run in the order of the fields. Rows stay in file order, so that ties in time mean the same before and
after. "5-core" has several meanings in papers, and they give different sets: ``passes: 1`` counts users and items
once and drops what is too rare in the same stroke, as HSTU does for Amazon Books; ``passes: 0`` repeats that until
every user and item that is left has enough, which is the one largest such set whatever the order of the removals.

Shape legend: N rows, U users, I items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Step:
    """What was left after one step."""

    name: str
    rows: int
    users: int
    items: int

    def __str__(self) -> str:
        return f"{self.name}: {self.rows:,} interactions, {self.users:,} users, {self.items:,} items"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The default keeps everything."""

    version: ClassVar[int] = 1
    """Raised when a step changes what it keeps: prepared data of the old version is then not used."""

    min_rating: float | None = None
    """Lowest rating that counts as an interaction, in the source's own stars; null: all."""
    duplicates: Literal["keep", "first", "last"] = "keep"
    """Of a user's interactions with the same item, keep all, or the first or last in time."""
    consecutive: Literal["keep", "drop"] = "keep"
    """Whether to drop an interaction with the same item as the user's one before it in time."""
    user_core: int = 0
    """Fewest interactions of a user."""
    item_core: int = 0
    """Fewest interactions of an item."""
    passes: int = 0
    """How often the two are counted and applied; 0: until nothing changes."""

    def __post_init__(self) -> None:
        for key in ("user_core", "item_core", "passes"):
            if getattr(self, key) < 0:
                raise UserError(f"{key} is {getattr(self, key)}; it must not be negative.")

    def __call__(self, rows: pl.DataFrame, name: str) -> tuple[pl.DataFrame, list[Step]]:
        """Keep what the settings say.

        Args:
            rows: ``user``, ``item``, perhaps ``time`` and ``rating``, in file order.
            name: the dataset's, for messages.

        Returns:
            The rows that are kept, in file order, and what was left after each step, the raw rows first.

        Raises:
            UserError: a threshold for a source without ratings, or nothing is left.
        """
        import polars as pl

        trace = [_step("raw", rows)]
        if self.min_rating is not None:
            if "rating" not in rows.columns:
                raise UserError(f"{name} has no ratings, so min_rating={self.min_rating:g} cannot be applied.")
            rows = rows.filter(pl.col("rating") >= self.min_rating)
            trace.append(_step(f"rating of at least {self.min_rating:g}", rows))
        if self.duplicates != "keep":
            rows = _in_time(rows).unique(["user", "item"], keep=self.duplicates, maintain_order=True)
            rows = _in_file(rows)
            trace.append(_step(f"the {self.duplicates} of equal user and item", rows))
        if self.consecutive == "drop":
            before = pl.col("item").shift(1).over("user")
            rows = _in_file(_in_time(rows).filter(pl.col("item").ne_missing(before)))
            trace.append(_step("no item twice in a row", rows))
        if self.user_core > 1 or self.item_core > 1:
            rows = self._core(rows, trace)
        if rows.is_empty():
            raise UserError(f"{name}: nothing is left. " + "; ".join(map(str, trace)) + ". Lower the thresholds.")
        return rows, trace

    def _core(self, rows: pl.DataFrame, trace: list[Step]) -> pl.DataFrame:
        code_N2 = [_codes(rows[key]) for key in ("user", "item")]
        fewest_2 = (self.user_core, self.item_core)
        kept_N = np.ones(len(rows), dtype=bool)
        done = 0
        while not self.passes or done < self.passes:
            # Users and items are counted on the same rows, so that the result does not depend on which comes first.
            enough_2 = [
                (np.bincount(code_N[kept_N], minlength=code_N.max(initial=0) + 1) >= fewest)[code_N]
                for code_N, fewest in zip(code_N2, fewest_2, strict=True)
            ]
            left_N = kept_N & enough_2[0] & enough_2[1]
            if left_N.sum() == kept_N.sum():
                break
            kept_N, done = left_N, done + 1
            name = f"pass {done}: users of at least {self.user_core}, items of at least {self.item_core}"
            users, items = (len(np.unique(code_N[kept_N])) for code_N in code_N2)
            trace.append(Step(name, int(kept_N.sum()), users, items))
        return rows.filter(kept_N)


def _step(name: str, rows: pl.DataFrame) -> Step:
    return Step(name, len(rows), rows["user"].n_unique(), rows["item"].n_unique())


def _codes(ids: pl.Series) -> np.ndarray:
    """``(N,)`` the same number for the same id, from 0, without gaps."""
    return ids.rank("dense").to_numpy().astype(np.int64) - 1


def _in_time(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in time order, equal times in file order; the place in the file is remembered."""
    numbered = rows.with_row_index("_row")
    return numbered.sort("time", maintain_order=True) if "time" in rows.columns else numbered


def _in_file(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("_row").drop("_row")
