"""The rows again, over the queries of each bucket of a slicing: by history length, popularity of the target, and so on.

With a last-5 window a user with five interactions has the same long and short view, so no fusion can help; a mean over
all users hides that. A slicing needs its column in the records of all runs, and queries in two buckets at least; the
length of the history, as the model saw it at test time, is always known. All tests of one slicing are one family.
A user with several held-out items may be in several buckets, in each with the items that belong there.

Shape legend: N test queries of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from research.reports.against import Part, against_baseline
from research.reports.groups import groups
from research.reports.ranks import Ranks
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.rows import untested_rows
from research.reports.scores import Selection

BUCKETS: tuple[tuple[str, int, float], ...] = (
    ("≤5", 0, 5),
    ("6–10", 6, 10),
    ("11–20", 11, 20),
    ("21–50", 21, 50),
    (">50", 51, np.inf),
)
"""Name, shortest and longest history of each bucket, both included."""

Column = Callable[[Ranks], np.ndarray | None]

HEAD = 0.2
"""Share of the items that count as head: those with the most training interactions."""

HOUR, DAY = 3600.0, 86400.0
GAPS: tuple[tuple[str, float, float], ...] = (
    ("≤1 hour", -np.inf, HOUR),
    ("≤1 day", HOUR, DAY),
    ("≤1 week", DAY, 7 * DAY),
    ("≤30 days", 7 * DAY, 30 * DAY),
    (">30 days", 30 * DAY, np.inf),
)
"""Name, and the seconds above which and up to which a gap belongs to it."""

MOST_SCENARIOS = 8
"""Buckets of a slicing by scenario; the rest share the last one."""


@dataclass(frozen=True)
class Slicing:
    """A way to part the queries: its heading, what it goes by in words, and its buckets in order."""

    name: str
    heading: str
    words: str
    buckets: tuple[tuple[str, Selection], ...]


@dataclass(frozen=True)
class Bucket:
    """One bucket of one group: its name, its test users, and the group's rows over their queries in it.

    Attributes:
        queries: held-out items in it; ``None`` in a study where each user has one.
    """

    name: str
    group: str
    users: int
    rows: tuple[Row, ...]
    queries: int | None = None

    @property
    def counted(self) -> str:
        """``56 users``, or ``93 queries of 56 users``."""
        users = f"{self.users:,} user{'s' * (self.users != 1)}"
        asked = "1 query" if self.queries == 1 else f"{self.queries:,} queries" if self.queries else ""
        return f"{asked} of {users}" if asked else users


def slicings(records: StudyRecords) -> list[Slicing]:
    """Those that the records allow, in the order of the page."""
    lengths = tuple((name, _between(_length, low - 1, high)) for name, low, high in BUCKETS)
    found = [Slicing("slices", "Short and long histories", "length of the user's history", lengths)]
    if _stated(records, _popularity):
        words = f"popularity of the target; the head is the {HEAD:.0%} of items with most training interactions"
        head = _among(_popularity, lambda value_N: value_N < HEAD), _among(_popularity, lambda value_N: value_N >= HEAD)
        found.append(Slicing("popularity", "Head and tail", words, (("head", head[0]), ("tail", head[1]))))
    if _stated(records, _repeat):
        again = ("repeated", _among(_repeat, lambda value_N: value_N)), ("new", _among(_repeat, np.logical_not))
        found.append(Slicing("repeats", "Repeated and new items", "whether the target is in the history", again))
    if _stated(records, _gap):
        gaps = tuple((name, _between(_gap, above, up_to)) for name, above, up_to in GAPS)
        found.append(Slicing("gaps", "Time since the last interaction", "time since the last interaction", gaps))
    if _stated(records, _scenario):
        found.append(Slicing("scenarios", "Scenarios", "scenario of the target", _scenarios(records)))
    if _stated(records, _cold):
        known = ("in training", _among(_cold, np.logical_not)), ("kept out", _among(_cold, lambda value_N: value_N))
        found.append(Slicing("cold", "Known and cold", "whether training knew the user and the item", known))
    return found


def rows_by(records: StudyRecords, slicing: Slicing, metrics: Sequence[str], *, tests: bool = True) -> list[Bucket]:
    """Buckets in order within each group, without those that have no query.

    Args:
        tests: whether the rows are tested against the baseline arm, all buckets as one family.

    Raises:
        UserError: as ``rows``.
    """
    parts = [Part(tuple(untested_rows(records, metrics, select)), select) for _, select in slicing.buckets]
    sizes, several = [_sizes(records, select) for _, select in slicing.buckets], records.several
    made = against_baseline(records, parts, metrics) if tests else [part.rows for part in parts]
    found = [
        Bucket(name, group, count, tuple(row for row in inside if row.group == group), asked if several else None)
        for (name, _), inside, counts in zip(slicing.buckets, made, sizes, strict=True)
        for group, (asked, count) in counts.items()
        if asked
    ]
    listed = list(dict.fromkeys(row.group for row in parts[0].rows))
    return sorted(found, key=lambda bucket: listed.index(bucket.group))


def rows_by_history_length(records: StudyRecords, metrics: Sequence[str] | None = None) -> list[Bucket]:
    """Buckets from short to long within each group, untested: what figures draw.

    Raises:
        UserError: as ``rows``.
    """
    return rows_by(records, slicings(records)[0], metrics or records.metrics, tests=False)


def sliced(records: StudyRecords, metrics: Sequence[str]) -> list[tuple[Slicing, list[Bucket]]]:
    """Every slicing with its tested buckets; one whose queries are all in one bucket is left out, but for the first.

    Raises:
        UserError: as ``rows``.
    """
    found: list[tuple[Slicing, list[Bucket]]] = []
    for slicing in slicings(records):
        filled = sum(any(queries for queries, _ in _sizes(records, s).values()) for _, s in slicing.buckets)
        if filled > 1 or not found:
            found.append((slicing, rows_by(records, slicing, metrics)))
    return found


def _length(ranks: Ranks) -> np.ndarray:
    return ranks.history_length_N


def _popularity(ranks: Ranks) -> np.ndarray | None:
    return ranks.popularity_N


def _repeat(ranks: Ranks) -> np.ndarray | None:
    return ranks.repeat_N


def _gap(ranks: Ranks) -> np.ndarray | None:
    return ranks.gap_N


def _scenario(ranks: Ranks) -> np.ndarray | None:
    return ranks.scenario_N


def _cold(ranks: Ranks) -> np.ndarray | None:
    return ranks.cold_N


def _stated(records: StudyRecords, column: Column) -> bool:
    return all(column(run.ranks) is not None for run in records.finished if run.ranks is not None)


def _among(column: Column, inside: Callable[[np.ndarray], np.ndarray]) -> Selection:
    def select(ranks: Ranks) -> np.ndarray:
        value_N = column(ranks)
        assert value_N is not None
        return inside(value_N)

    return select


def _between(column: Column, above: float, up_to: float) -> Selection:
    return _among(column, lambda value_N: (value_N > above) & (value_N <= up_to))


def _scenarios(records: StudyRecords) -> tuple[tuple[str, Selection], ...]:
    """The most frequent ones, most frequent first; None is a scenario too."""
    columns = [_words(run.ranks) for run in records.finished if run.ranks is not None]
    names, counts = np.unique(np.concatenate(columns), return_counts=True)
    ordered = [str(name) for name in names[np.argsort(-counts, kind="stable")]]
    kept = ordered if len(ordered) <= MOST_SCENARIOS else ordered[: MOST_SCENARIOS - 1]

    def one(name: str) -> Selection:
        return lambda ranks: _words(ranks) == name

    parts: list[tuple[str, Callable[[Ranks], np.ndarray]]] = [(name, one(name)) for name in kept]
    if len(kept) < len(ordered):
        parts.append((f"{len(ordered) - len(kept)} others", lambda ranks: ~np.isin(_words(ranks), kept)))
    return tuple(parts)


def _words(ranks: Ranks) -> np.ndarray:
    assert ranks.scenario_N is not None
    return np.array(["none" if word is None else str(word) for word in ranks.scenario_N.tolist()])


def _sizes(records: StudyRecords, select: Selection) -> dict[str, tuple[int, int]]:
    """Group -> queries and users in the bucket; all runs of a group rank the same ones, the largest count is taken."""
    group_of = groups(records)
    sizes: dict[str, tuple[int, int]] = {}
    for run in records.finished:
        assert run.ranks is not None
        chosen = select(run.ranks)
        size = int(chosen.sum()), len(np.unique(run.ranks.user_N[chosen]))
        sizes[group_of[run.cell]] = max(size, sizes.get(group_of[run.cell], (0, 0)))
    return sizes
