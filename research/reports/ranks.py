"""The ranks of held-out items and the learning curves of one run, as arrays.

Shape legend: N test queries, one a user under most protocols; E epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from research.errors import UserError


@dataclass(frozen=True)
class Ranks:
    """One row for each held-out item, in the file's order.

    Attributes:
        user_N: user indices; one stands as often as the protocol holds out items of that user.
        better_N: candidates scored strictly higher than the target.
        ties_N: other candidates with the target's score.
        history_length_N: interactions that the model could see.
        weight_long_N: weight of the long branch, NaN where a user has none; None for a run without weights.
        gap_N: seconds from the last interaction to the held-out one, NaN where unknown; None in records without times.
        popularity_N: share of the items that have more training interactions than the target; 0 is the most frequent.
        repeat_N: whether the target stands in the history that the model saw.
        scenario_N: of the held-out interaction, in the source's words.
        cold_N: whether the split kept the user, or the item, out of training.

    The last four are None where the record does not state them.
    """

    user_N: np.ndarray
    better_N: np.ndarray
    ties_N: np.ndarray
    history_length_N: np.ndarray
    weight_long_N: np.ndarray | None
    gap_N: np.ndarray | None = None
    popularity_N: np.ndarray | None = None
    repeat_N: np.ndarray | None = None
    scenario_N: np.ndarray | None = None
    cold_N: np.ndarray | None = None

    @cached_property
    def users(self) -> int:
        """Distinct users."""
        return len(np.unique(self.user_N))

    @property
    def several(self) -> bool:
        """Whether a user has more than one held-out item."""
        return self.users < len(self.user_N)


@dataclass(frozen=True)
class Curves:
    """One run's learning curve: ``epoch_E``, ``seconds_E`` of training since the start, ``validation_E`` (NDCG@10)."""

    epoch_E: np.ndarray
    seconds_E: np.ndarray
    validation_E: np.ndarray


def read_ranks(path: Path) -> Ranks:
    """Read ``ranks.parquet``.

    Raises:
        UserError: the file is absent or broken, has no user, or holds a negative count.
    """
    facts = ("popularity", "repeat", "scenario", "cold")
    columns = _columns(path, ("user", "better", "ties", "history_length"), ("weight_long", "gap", *facts))
    ranks = Ranks(
        user_N=columns["user"],
        better_N=columns["better"],
        ties_N=columns["ties"],
        history_length_N=columns["history_length"],
        weight_long_N=_known(columns.get("weight_long")),
        gap_N=_known(columns.get("gap")),
        **{f"{name}_N": columns.get(name) for name in facts},
    )
    if len(ranks.user_N) == 0:
        raise UserError(f"{path} has no test user. Delete the run's directory and repeat it.")
    counts = (ranks.better_N, ranks.ties_N, ranks.history_length_N)
    if any(not np.issubdtype(count.dtype, np.integer) or count.min() < 0 for count in counts):
        raise UserError(f"{path} holds a missing or negative count. Delete the run's directory and repeat it.")
    return ranks


def read_curves(path: Path) -> Curves | None:
    """Read ``curves.parquet``; None where a run has no curve (a baseline has no epochs).

    Raises:
        UserError: the file is there but broken.
    """
    if not path.is_file():
        return None
    columns = _columns(path, ("epoch",), ("seconds", "val_ndcg@10"))
    if "val_ndcg@10" not in columns or len(columns["epoch"]) == 0:
        return None
    epoch = columns["epoch"]
    seconds = columns.get("seconds", np.full(len(epoch), np.nan))
    since_start = seconds.astype(np.float64).cumsum()  # the file has those of each epoch
    return Curves(epoch, since_start, columns["val_ndcg@10"].astype(np.float64))


def _columns(path: Path, needed: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, np.ndarray]:
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    if not path.is_file():
        raise UserError(f"{path} is missing although its run is recorded. Delete the run's directory and repeat it.")
    try:
        with parquet.ParquetFile(path) as file:
            present = [name for name in (*needed, *optional) if name in file.schema_arrow.names]
            table = file.read(columns=present)
    except (ArrowException, OSError) as error:
        raise UserError(f"{path} is not a readable Parquet file ({error}). Delete the run and repeat it.") from error
    missing = [name for name in needed if name not in present]
    if missing:
        raise UserError(f"{path} lacks the columns {', '.join(missing)}. Delete the run's directory and repeat it.")
    return {name: table[name].to_numpy() for name in present}


def _known(value_N: np.ndarray | None) -> np.ndarray | None:
    """Values as float64, or None when not one user has any (an all-null column may come as objects)."""
    if value_N is None:
        return None
    value_N = value_N.astype(np.float64)
    return None if np.isnan(value_N).all() else value_N
