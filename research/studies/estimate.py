"""What is ahead of a study in time and disk, from the runs of it that have finished.

A run takes as long as the finished runs of its arm: their median seconds of an epoch, times their median number of
epochs, and the test. An arm without one is taken for the median of all arms of its kind. They were measured as they
ran, so on a machine that did as much beside them the guess is right, and on another it is not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from research.studies.choice import Choice
from research.studies.executors.base import Executor
from research.studies.executors.local import Local, side_by_side
from research.studies.plan import Planned, tunings
from research.studies.run_study import orders
from research.studies.standing import Standing
from research.training.names import run_directory
from research.tuning.arm import Tuning
from research.tuning.journal import count


@dataclass(frozen=True)
class Seen:
    """A finished run: of which arm and kind, seconds of an epoch, epochs, seconds of the test, bytes on disk."""

    arm: int
    baseline: bool
    epoch: float
    epochs: int
    test: float
    size: int


@dataclass(frozen=True)
class Estimate:
    """What a start has to do.

    Attributes:
        runs: to be done.
        trials: of tunings, before them.
        seen: finished runs that the estimate is from.
        seconds: of all of them one after the other; ``None`` while nothing tells.
        at_most: the same if no training stops before ``trainer.max_epochs``.
        size: bytes that they will leave; checkpoints of runs under way come on top.
    """

    runs: int
    trials: int
    seen: int
    seconds: float | None
    at_most: float | None
    size: float | None

    def sentence(self, at_once: int) -> str:
        """For people; ``at_once`` runs at one time."""
        if not self.runs:
            return "Nothing is ahead."
        ahead = f"Ahead: {self.runs} runs" + (f" and {self.trials} trials of tunings before them" * bool(self.trials))
        if self.seconds is None or self.at_most is None or self.size is None:
            return f"{ahead}. Time and disk are unknown until a run has finished."
        share = f", {span(self.seconds / at_once)} with {at_once} at one time" if at_once > 1 else ""
        return (
            f"{ahead}. About {span(self.seconds)} one after the other{share} (from {self.seen} finished runs; at most "
            f"{span(self.at_most / at_once)} if none stops early), and {self.size / 1e6:,.1f} MB of disk."
        )


def estimate(standing: Standing, choice: Choice) -> Estimate:
    """Look at the finished runs of a study, and sum up what a start would do."""
    seen = [_seen(run, standing.directory.name) for run, done in zip(standing.runs, standing.done, strict=True) if done]
    ahead = [standing.runs[i] for i in standing.ahead(choice)]
    seconds = at_most = size = 0.0
    known = True
    for run in ahead:
        like = _like(run, seen)
        known = known and bool(like)
        if like:
            epoch, test = median(one.epoch for one in like), median(one.test for one in like)
            most = 0 if like[0].baseline else run.config.trainer.max_epochs
            seconds += min(most, median(one.epochs for one in like)) * epoch + test
            at_most += most * epoch + test
            size += median(one.size for one in like)
    trials = 0
    for tuning in tunings(ahead, ready=False):
        left = tuning.budget.trials - (0 if tuning.read() else count(tuning.journal))
        each = _trial(tuning, standing, seen)
        trials += left
        known = known and each is not None
        seconds += left * (each or 0.0)
        at_most += left * (each or 0.0)
    figures = (seconds, at_most, size) if known else (None, None, None)
    return Estimate(len(ahead), trials, len(seen), *figures)


def at_once(standing: Standing, choice: Choice, executor: Executor | None = None) -> int:
    """Runs at one time; 1 for an executor that nobody knows it of."""
    executor = executor or Local()
    if not isinstance(executor, Local):
        return 1
    return executor.workers or side_by_side(orders(standing, choice), executor.memory_gb)


def span(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _seen(run: Planned, study: str) -> Seen:
    directory = run_directory(run.config, study)
    record = json.loads((directory / "record.json").read_text(encoding="utf-8"))
    seconds, epochs = record["seconds"], record["epochs"]["run"]
    return Seen(
        arm=run.number,
        baseline=record["kind"] == "baseline",
        epoch=(seconds["train"] + seconds["validation"]) / max(1, epochs),
        epochs=epochs,
        test=seconds["test"],
        size=sum(file.stat().st_size for file in directory.iterdir() if file.is_file()),
    )


def _like(run: Planned, seen: Sequence[Seen]) -> list[Seen]:
    """Finished runs of the same arm; of the same kind where there is none."""
    kind = [one for one in seen if one.baseline == bool(run.config.get("baseline"))]
    return [one for one in kind if one.arm == run.number] or kind


def _trial(tuning: Tuning, standing: Standing, seen: Sequence[Seen]) -> float | None:
    """Seconds of a trial: as in the tunings of its kind that have ended, else as in its finished runs."""
    baseline = bool(tuning.corners[0].get("baseline"))
    ended = [result for other in standing.tunings if (result := other.read())]
    tried = [trial for result in ended if (result["kind"] == "baseline") == baseline for trial in result["tried"]]
    runs = [one.epoch * one.epochs + one.test for one in seen if one.baseline == baseline]
    return median([trial["seconds"] for trial in tried] or runs) if tried or runs else None
