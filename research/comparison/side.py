"""One side of a comparison: a run, or a cell with all its seeds, and the ranks of every held-out item.

Shape legend: Q queries, S seeds, U users.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from research.comparison.find import read_record
from research.errors import UserError
from research.metrics.ranking import metric

NEEDED = ("user", "target", "better", "ties", "history_length")
OPTIONAL = ("scenario", "cold")


@dataclass(frozen=True)
class Side:
    """Finished runs of one cell.

    Attributes:
        directories: one a seed.
        records: likewise.
        queries: columns that the seeds share: ``user``, ``target``, ``history_length``, perhaps ``scenario``, ``cold``.
        counts: ``better`` and ``ties`` of each seed.
    """

    directories: tuple[Path, ...]
    records: tuple[Mapping[str, Any], ...]
    queries: Mapping[str, np.ndarray]
    counts: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def label(self) -> str:
        return str(self.records[0]["label"])

    @property
    def seeds(self) -> list[int]:
        return [int(record["seed"]) for record in self.records]

    @property
    def deterministic(self) -> bool:
        """Whether another seed would change nothing."""
        return self.records[0]["kind"] == "baseline"

    def by_query(self, name: str, chosen_Q: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
        """``(user_Q, value_Q)`` of each seed; a user with several queries stands in several rows."""
        chosen = slice(None) if chosen_Q is None else chosen_Q
        user_Q = self.queries["user"][chosen]
        return [(user_Q, metric(name, better_Q[chosen], ties_Q[chosen])) for better_Q, ties_Q in self.counts]

    def mean(self, name: str, chosen_Q: np.ndarray | None = None) -> list[float]:
        """Mean over queries of each seed, as records state it."""
        chosen = slice(None) if chosen_Q is None else chosen_Q
        return [float(metric(name, better_Q[chosen], ties_Q[chosen]).mean()) for better_Q, ties_Q in self.counts]


def read_side(directories: Sequence[Path]) -> Side:
    """Read the records and ranks of finished runs.

    Raises:
        UserError: a file is missing or broken; the seeds do not rank the same held-out items.
    """
    records = [read_record(directory) for directory in directories]
    for directory, record in zip(directories, records, strict=True):
        missing = [key for key in ("kind", "label", "seed", "protocol", "data") if record.get(key) is None]
        if missing:
            raise UserError(f"{directory / 'record.json'} lacks {', '.join(missing)}. Run it again.")
    tables = [_read(directory / "ranks.parquet") for directory in directories]
    for directory, table in zip(directories[1:], tables[1:], strict=True):
        if not same_queries(tables[0], table):
            raise UserError(
                f"{directory} and {directories[0]} are seeds of one cell, but do not rank the same held-out items. "
                "Delete the older one and run it again."
            )
    shared = {name: tables[0][name] for name in tables[0] if name not in ("better", "ties")}
    counts = tuple((table["better"], table["ties"]) for table in tables)
    return Side(tuple(directories), tuple(records), shared, counts)


def same_queries(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> bool:
    """Whether users, held-out items and the lengths of what came before them agree, row by row."""
    return all(np.array_equal(first[name], second[name]) for name in ("user", "target", "history_length"))


def _read(path: Path) -> dict[str, np.ndarray]:
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    mend = "Delete the run's directory and run it again."
    if not path.is_file():
        raise UserError(f"{path} is missing although its run is recorded. {mend}")
    try:
        with parquet.ParquetFile(path) as file:
            present = set(file.schema_arrow.names)
            table = file.read(columns=[name for name in (*NEEDED, *OPTIONAL) if name in present])
    except (ArrowException, OSError) as error:
        raise UserError(f"{path} is not a readable Parquet file ({error}). {mend}") from error
    if missing := [name for name in NEEDED if name not in present]:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}. {mend}")
    return {name: table[name].to_numpy() for name in table.column_names}
