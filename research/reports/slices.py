"""The rows again, for users with short and with long histories.

With a last-5 window a user with five interactions has the same long and short view, so no fusion can help;
a mean over all users hides that. Buckets are by the length of the history that the model saw at test time.

Shape legend: N test users of one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from research.reports.groups import groups
from research.reports.ranks import Ranks
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.rows import rows

BUCKETS: tuple[tuple[str, int, float], ...] = (
    ("≤5", 0, 5),
    ("6–10", 6, 10),
    ("11–20", 11, 20),
    ("21–50", 21, 50),
    (">50", 51, np.inf),
)
"""Name, shortest and longest history of each bucket, both included."""


@dataclass(frozen=True)
class Bucket:
    """One bucket of one group: its name, its number of test users, and the group's rows over these users."""

    name: str
    group: str
    users: int
    rows: tuple[Row, ...]


def rows_by_history_length(records: StudyRecords, metrics: Sequence[str] | None = None) -> list[Bucket]:
    """Buckets from short to long within each group, without those that have no user.

    Raises:
        UserError: as ``rows``.
    """
    found: list[Bucket] = []
    for name, low, high in BUCKETS:
        inside = rows(records, metrics, lambda ranks, low=low, high=high: _within(ranks, low, high))
        users = _users(records, low, high)
        for group, count in users.items():
            if count:
                found.append(Bucket(name, group, count, tuple(row for row in inside if row.group == group)))
    listed = list(dict.fromkeys(row.group for row in rows(records, metrics)))
    return sorted(found, key=lambda bucket: listed.index(bucket.group))


def _within(ranks: Ranks, low: float, high: float) -> np.ndarray:
    return (ranks.history_length_N >= low) & (ranks.history_length_N <= high)


def _users(records: StudyRecords, low: float, high: float) -> dict[str, int]:
    """Group -> users in the bucket; all runs of a group rank the same users, the largest count is taken."""
    group_of = groups(records)
    counts: dict[str, int] = {}
    for run in records.finished:
        assert run.ranks is not None
        count = int(_within(run.ranks, low, high).sum())
        counts[group_of[run.cell]] = max(count, counts.get(group_of[run.cell], 0))
    return counts
