"""How a study stands: all its runs, which of them are done, which failed, and the tunings before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from research.config import identity
from research.studies.choice import Choice
from research.studies.once import why_failed
from research.studies.plan import Planned, settled, tunings
from research.studies.planned import write_plan
from research.training.names import run_directory
from research.training.record import read_finished, write_record
from research.tuning.arm import Tuning


@dataclass(frozen=True)
class Standing:
    """A study as it stands.

    Attributes:
        directory: where it lies.
        runs: all of them.
        done: which of them are.
        tunings: before them.
        failed: why each run failed, or the tuning before it; ``None`` where it did not.
    """

    directory: Path
    runs: list[Planned]
    done: list[bool]
    tunings: list[Tuning] = field(default_factory=list)
    failed: list[str | None] = field(default_factory=list)

    @property
    def untuned(self) -> list[Tuning]:
        """Tunings that have not ended, or chose nothing."""
        return [tuning for tuning in self.tunings if tuning.chosen is None]

    def ahead(self, choice: Choice) -> list[int]:
        """Numbers of the runs that a start has to do, those that are not tuned yet among them."""
        return [
            i
            for i, (run, done, reason) in enumerate(zip(self.runs, self.done, self.failed, strict=True))
            if choice.takes(run) and not done and (reason is None or choice.retry_failed)
        ]

    def left(self, choice: Choice) -> int:
        """How many runs a start leaves as they are because they failed."""
        if choice.retry_failed:
            return 0
        return sum(reason is not None and choice.takes(run) for run, reason in zip(self.runs, self.failed, strict=True))


def stand(study: str, directory: Path, runs: list[Planned]) -> Standing:
    """Look at what is there of a study, and write its plan.

    Raises:
        UserError: a file of it is damaged.
    """
    runs = settled(runs)
    write_plan(directory, runs)
    done = [_is_done(run, study) for run in runs]
    return Standing(directory, runs, done, tunings(runs), [_why_failed(run, study) for run in runs])


def _why_failed(run: Planned, study: str) -> str | None:
    if run.ready:
        return why_failed(run_directory(run.config, study))
    result = run.tuning.read() if run.tuning else None
    return result["reason"] if result else None


def _is_done(run: Planned, study: str) -> bool:
    """Whether the run's record is there; what it says of its tuning is brought up to date."""
    if not run.ready:
        return False
    directory = run_directory(run.config, study)
    record = read_finished(directory, identity(run.config))
    if record and record.get("tuning") != run.tuned:
        write_record(directory, {**record, "tuning": run.tuned})
    return record is not None


def note_failure(run: Planned, study: str, reason: Any) -> None:
    """Leave the reason on disk when the run itself could not, because its process died."""
    directory = run_directory(run.config, study)
    if (directory / "record.json").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    record = {
        "schema": 1,
        "status": "failed",
        "reason": str(reason),
        "study": study,
        "cell": directory.parent.name,
        "label": run.label,
        "arm": run.arm,
        "kind": "baseline" if run.config.get("baseline") else "model",
        "seed": run.config.seed,
        "identity": identity(run.config),
        "tuning": run.tuned,
    }
    write_record(directory, record)
