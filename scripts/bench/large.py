"""Files of the shape of MovieLens 20M and of Taobao's log, drawn from a seed: as many users, items and rows.

Ids, times and the order of rows are like theirs; who met what is random. Written in blocks.

Shape legend: N rows, n of one block, U users, I items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 1_000_000


@dataclass(frozen=True)
class Shape:
    """A file.

    Attributes:
        source: as in ``data=NAME``.
        file: its name.
        users: how many, in blocks of rows as in the real file.
        items: how many; all occur.
        rows: how many.
        header: whether it has a line with the names of its columns.
        columns: from a generator, and the users and items of a block, to its table.
    """

    source: str
    file: str
    users: int
    items: int
    rows: int
    header: bool
    columns: Callable[[np.random.Generator, np.ndarray, np.ndarray], pl.DataFrame]

    def write(self, path: Path) -> None:
        """Write the file, the same for everyone; whole or not at all."""
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            for number, table in enumerate(self.blocks()):
                table.write_csv(file, include_header=self.header and number == 0)
        part.replace(path)

    def blocks(self) -> Iterator[pl.DataFrame]:
        """Its rows, by user."""
        random = np.random.default_rng(0)
        share_U = random.lognormal(0.0, 1.1, self.users)
        least = min(20, self.rows // self.users)
        length_U = least + (share_U * ((self.rows - least * self.users) / share_U.sum())).astype(np.int64)
        length_U[: self.rows - length_U.sum()] += 1
        end_U = np.cumsum(length_U)
        item_I = random.permutation(self.items)
        for first in range(0, self.rows, _BLOCK):
            row_n = np.arange(first, min(first + _BLOCK, self.rows))
            user_n = np.searchsorted(end_U, row_n, side="right")
            item_n = item_I[np.floor(self.items * random.random(len(row_n)) ** 2).astype(np.int64)]
            item_n[row_n < self.items] = row_n[row_n < self.items]  # none is left out
            yield self.columns(random, user_n, item_n)


def _movielens(random: np.random.Generator, user_n: np.ndarray, item_n: np.ndarray) -> pl.DataFrame:
    import polars as pl

    # Whole evenings, in no order of time, as that file is in order of films.
    evening_n = 789_652_009 + 1_000 * user_n + 86_400 * random.integers(0, 30, len(user_n))
    return pl.DataFrame(
        {
            "userId": user_n + 1,
            "movieId": 4 * item_n + 1,
            "rating": random.integers(1, 11, len(user_n)) / 2,
            "timestamp": evening_n + random.integers(0, 3_000, len(user_n)),
        }
    )


def _taobao(random: np.random.Generator, user_n: np.ndarray, item_n: np.ndarray) -> pl.DataFrame:
    import polars as pl

    behaviour_n = np.searchsorted([0.896, 0.951, 0.98], random.random(len(user_n)))
    return pl.DataFrame(
        {
            "user": user_n + 1,
            "item": item_n + 1,
            "category": item_n % 9_439,
            "behaviour": pl.Series(behaviour_n).replace_strict([0, 1, 2, 3], ["pv", "cart", "fav", "buy"]),
            "time": random.integers(1_511_539_200, 1_512_316_800, len(user_n)),
        }
    )


SHAPES = {
    "20m": Shape("ml-20m", "ratings.csv", 138_493, 26_744, 20_000_263, True, _movielens),
    "100m": Shape("taobao", "UserBehavior.csv", 987_994, 4_162_024, 100_150_807, False, _taobao),
}
