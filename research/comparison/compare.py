"""Two runs, or two cells with all their seeds, side by side: first minus second, paired by user.

The test is the sign-flip test over users, the interval counts the noise of seeds too where there are two at least
(`research.statistics`). p of several metrics are of one family and corrected by Holm; so are those of slices.

Shape legend: Q queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from research.comparison.settings import different_settings
from research.comparison.side import Side, same_queries
from research.errors import UserError
from research.reports.slices import BUCKETS
from research.statistics.family import holm
from research.statistics.interval import Interval
from research.statistics.pairs import Pair
from research.statistics.permutation import sign_flip_test
from research.statistics.seeds_and_users import estimate

METRICS = ("recall@10", "ndcg@10", "mrr@10")


@dataclass(frozen=True)
class Difference:
    """One metric over all queries or one slice of them.

    Attributes:
        name: the metric, or the slice.
        queries: held-out items that count; ``users`` whose they are.
        first: mean over queries, then seeds; ``second`` likewise.
        difference: first minus second, as tested: a user is one pair, with the sum of the user's queries.
        interval: of the difference, 95 %.
        p: of the sign-flip test over users; ``p_adjusted`` after Holm's correction in its family. ``None`` for fewer
            than two users.
    """

    name: str
    queries: int
    users: int
    first: float
    second: float
    difference: float
    interval: Interval | None
    p: float | None
    p_adjusted: float | None


@dataclass(frozen=True)
class Comparison:
    """Everything that `research compare` shows."""

    first: Side
    second: Side
    metrics: list[Difference]
    slices: list[Difference]
    slice_metric: str
    settings: dict[str, tuple[str, str]]
    costs: dict[str, tuple[float | None, float | None]]
    notes: list[str]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        sides = {
            name: {
                "directories": [str(directory) for directory in side.directories],
                "label": side.label,
                "seeds": side.seeds,
            }
            for name, side in (("first", self.first), ("second", self.second))
        }
        return {
            **sides,
            "metrics": [asdict(one) for one in self.metrics],
            "slices": [asdict(one) for one in self.slices],
            "slice_metric": self.slice_metric,
            "settings": {key: list(values) for key, values in self.settings.items()},
            "costs": {key: list(values) for key, values in self.costs.items()},
            "notes": self.notes,
        }


def compare(first: Side, second: Side, metrics: Sequence[str] = METRICS) -> Comparison:
    """Compare two sides.

    Raises:
        UserError: they do not rank the same held-out items of the same data under the same protocol.
    """
    check_comparable(first, second)
    everyone = np.ones(len(first.queries["user"]), dtype=bool)
    headline = "ndcg@10" if "ndcg@10" in metrics else metrics[0]
    slices = [_difference(first, second, headline, chosen_Q, name) for name, chosen_Q in slices_of(first)]
    return Comparison(
        first=first,
        second=second,
        metrics=_corrected([_difference(first, second, name, everyone, name) for name in metrics]),
        slices=_corrected(slices),
        slice_metric=headline,
        settings=different_settings(first.records[0], second.records[0]),
        costs={name: (_cost(first, path), _cost(second, path)) for name, path in COSTS.items()},
        notes=_notes(first, second),
    )


def check_comparable(first: Side, second: Side) -> None:
    """See that both sides answer the same questions.

    Raises:
        UserError: they do not; names what differs, and what to do.
    """
    one, other = first.records[0], second.records[0]
    where = f"{first.directories[0]} and {second.directories[0]} cannot be compared"
    for key in sorted({*one["protocol"], *other["protocol"]} - {"users"}):
        if one["protocol"].get(key) != other["protocol"].get(key):
            raise UserError(
                f"{where}: {key} is {one['protocol'].get(key)!r} in the first and {other['protocol'].get(key)!r} in "
                "the second. Run one of them again under the protocol of the other (split=...)."
            )
    for key, mend in (
        ("name", "Run both on the same data (data=...)."),
        ("digest", "The data were prepared from other files or other settings: run the older one again."),
    ):
        if one["data"].get(key) != other["data"].get(key):
            values = " and ".join(str(side["data"].get(key))[:40] for side in (one, other))
            raise UserError(f"{where}: the {key} of their data differs, {values}. {mend}")
    if not same_queries(first.queries, second.queries):
        raise UserError(
            f"{where}: they do not rank the same held-out items, so one was made by another version of the split. "
            "Run the older one again."
        )


def slices_of(side: Side) -> list[tuple[str, np.ndarray]]:
    """Name and ``(Q,)`` mask of each slice that holds something: history length, cold or warm, scenario."""
    length_Q, queries = side.queries["history_length"], side.queries
    found = [(f"history {name}", (length_Q >= low) & (length_Q <= high)) for name, low, high in BUCKETS]
    if "cold" in queries:
        cold_Q = queries["cold"].astype(bool)
        found += [("cold", cold_Q), ("warm", ~cold_Q)]
    if "scenario" in queries:
        scenario_Q = queries["scenario"].astype(str)
        found += [(f"scenario {name or 'unknown'}", scenario_Q == name) for name in np.unique(scenario_Q).tolist()]
    return [(name, chosen_Q) for name, chosen_Q in found if chosen_Q.any()]


def _difference(first: Side, second: Side, metric: str, chosen_Q: np.ndarray, name: str) -> Difference:
    means = [float(np.mean(side.mean(metric, chosen_Q))) for side in (first, second)]
    values = [side.by_query(metric, chosen_Q) for side in (first, second)]
    users = len(np.unique(values[0][0][0]))
    queries = int(chosen_Q.sum())
    if users < 2:
        return Difference(name, queries, users, means[0], means[1], means[0] - means[1], None, None, None)
    pair = Pair.of_runs(*values, first_deterministic=first.deterministic, second_deterministic=second.deterministic)
    test, interval = sign_flip_test(pair.difference_U), estimate(pair).interval()
    return Difference(name, queries, users, means[0], means[1], test.difference, interval, test.p, None)


def _corrected(found: list[Difference]) -> list[Difference]:
    tested = [one.p for one in found if one.p is not None]
    adjusted = iter(holm(tested, 0.05).adjusted if tested else ())
    return [Difference(**{**vars(one), "p_adjusted": None if one.p is None else next(adjusted)}) for one in found]


COSTS = {
    "parameters": ("parameters",),
    "training s": ("seconds", "train"),
    "validation s": ("seconds", "validation"),
    "test s": ("seconds", "test"),
    "best epoch": ("epochs", "best"),
    "epochs": ("epochs", "run"),
    "peak memory MiB": ("peak_memory_bytes",),
}
"""What is shown of a record, mean over seeds."""


def _cost(side: Side, path: tuple[str, ...]) -> float | None:
    values = []
    for record in side.records:
        value: Any = record
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            values.append(float(value) / (2**20 if path == ("peak_memory_bytes",) else 1))
    return float(np.mean(values)) if values else None


def _notes(first: Side, second: Side) -> list[str]:
    notes = []
    for side in (first, second):
        if not side.deterministic and len(side.seeds) < 2:
            notes.append(f"{side.label} has one seed: its noise between seeds is unknown, and p speaks of users only.")
    made = [{str((record.get("code") or {}).get("commit")) for record in side.records} for side in (first, second)]
    if made[0] != made[1]:
        notes.append(
            "The two were made by different commits: " + " and ".join(", ".join(sorted(m)) for m in made) + "."
        )
    machines = [
        {str((record.get("environment") or {}).get("processor")) for record in side.records} for side in (first, second)
    ]
    if machines[0] != machines[1]:
        notes.append("The two ran on different processors, so their seconds do not compare.")
    return notes
