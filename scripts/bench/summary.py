"""From measurements to numbers: medians, spans, ratios of medians, and which promise is kept."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from scripts.bench.plan import Job, Promise


@dataclass(frozen=True)
class Spread:
    """Several values of one thing."""

    median: float
    least: float
    most: float
    count: int

    @staticmethod
    def of(values: list[float]) -> Spread | None:
        """``None`` of nothing."""
        return Spread(statistics.median(values), min(values), max(values), len(values)) if values else None


@dataclass(frozen=True)
class Kept:
    """A promise and what was measured of it; ``ratio`` is ``None`` when a side is missing."""

    promise: Promise
    ratio: float | None

    @property
    def word(self) -> str:
        """``kept``, ``missed`` or ``not measured``."""
        if self.ratio is None:
            return "not measured"
        bound = self.promise.bound
        return "kept" if (self.ratio <= bound if self.promise.at_most else self.ratio >= bound) else "missed"


def values(measurements: list[dict[str, Any]], job: Job, metric: str) -> list[float]:
    """All values of a metric of a job; a list in a result counts with each of its values."""
    found: list[float] = []
    for measurement in measurements:
        if Job(**measurement["job"]) == job and metric in measurement["result"]:
            value = measurement["result"][metric]
            found += value if isinstance(value, list) else [value]
    return found


def spread(measurements: list[dict[str, Any]], job: Job, metric: str) -> Spread | None:
    """Median and span of a metric of a job."""
    return Spread.of(values(measurements, job, metric))


def check(measurements: list[dict[str, Any]], promise: Promise) -> Kept:
    """The ratio of the two medians against its bound."""
    over = spread(measurements, promise.over, promise.metric)
    under = spread(measurements, promise.under, promise.metric)
    return Kept(promise, over.median / under.median if over and under else None)


def jobs_of(measurements: list[dict[str, Any]]) -> list[Job]:
    """The jobs that were measured, each once, in the order of their first appearance."""
    return list(dict.fromkeys(Job(**measurement["job"]) for measurement in measurements))


def facts_of(measurements: list[dict[str, Any]], job: Job) -> dict[str, Any]:
    """The result of a job's last measurement, for what does not vary: versions, threads, how seen items are treated."""
    return next((m["result"] for m in reversed(measurements) if Job(**m["job"]) == job), {})
