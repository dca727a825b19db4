"""Arms in portions that one figure can show: behind some two dozen a legend is larger than what it explains.

A grid is cut along an axis, so a figure compares the fusions of one encoder; other arms by number. Rows that belong to
no portion (without training, or of an arm that does not read the axis) stand in each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from research.reports.row import Row
from research.reports.slices import Bucket

MOST = 28
"""Arms of a figure with a legend."""


@dataclass(frozen=True)
class Portion:
    """Some of the arms of one group.

    Attributes:
        words: what they have in common, empty where they are all arms.
        cells: these arms and the rows that stand in every portion.
    """

    words: str
    cells: frozenset[str]

    @property
    def slug(self) -> str:
        """For names of figures."""
        return re.sub(r"[^a-z0-9]+", "-", self.words.lower()).strip("-")

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """Those that are in it."""
        return [row for row in rows if row.cell in self.cells]


def portions(rows: Sequence[Row]) -> list[Portion]:
    """One for all arms of a group where a figure can show them; else by the axis with the fewest values that does."""
    arms = [row for row in rows if row.kind == "model"]
    if len(arms) <= MOST:
        return [Portion("", frozenset(row.cell for row in rows))]
    others = frozenset(row.cell for row in rows if row.kind != "model")
    found = []
    for axis in dict.fromkeys(axis for row in arms for axis in row.arm):
        values = list(dict.fromkeys(row.arm[axis] for row in arms if axis in row.arm))
        apart = frozenset(row.cell for row in arms if axis not in row.arm)
        cut = [frozenset(row.cell for row in arms if row.arm.get(axis) == value) | apart for value in values]
        # Colours tell fusions apart, so a cut along them would show one colour a figure; a name is no axis to cut.
        if axis != "fusion" and 1 < len(values) <= len(arms) / 2 and max(map(len, cut)) <= MOST:
            found.append([Portion(value, cells | others) for value, cells in zip(values, cut, strict=True)])
    if found:
        return min(found, key=len)
    steps = range(0, len(arms), MOST)
    numbered = [arms[first : first + MOST] for first in steps]
    return [
        Portion(f"arms {first + 1} to {first + len(some)}", frozenset(row.cell for row in some) | others)
        for first, some in zip(steps, numbered, strict=True)
    ]


def within(buckets: Sequence[Bucket], portion: Portion) -> list[Bucket]:
    """The same buckets with the rows of a portion."""
    return [replace(bucket, rows=tuple(portion.rows(bucket.rows))) for bucket in buckets]
