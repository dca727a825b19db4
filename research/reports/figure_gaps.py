"""Figure: the weight of the long branch by the time since the last interaction.

A short-term taste should count less the longer a user was away. Only records that know the gap have this figure.
"""

from __future__ import annotations

from collections.abc import Sequence

from research.reports.drawing import Plot
from research.reports.figure_lengths import weights_by
from research.reports.records import StudyRecords
from research.reports.slices import Bucket, rows_by, slicings


def rows_by_gap(records: StudyRecords) -> list[Bucket]:
    """Untested buckets from short to long; none where the records know no gap, or no run has weights.

    Raises:
        UserError: as ``rows``.
    """
    weighted = any(run.ranks is not None and run.ranks.weight_long_N is not None for run in records.finished)
    by_gap = [slicing for slicing in slicings(records) if slicing.name == "gaps"] if weighted else []
    return [bucket for slicing in by_gap for bucket in rows_by(records, slicing, records.metrics, tests=False)]


def gaps_figure(buckets: Sequence[Bucket]) -> Plot | None:
    """The weight in each bucket of one group; None with fewer than two buckets, or without weights."""
    return weights_by(buckets, "gaps", "time since the last interaction", "Time since the last interaction")
