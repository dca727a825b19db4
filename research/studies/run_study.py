"""Run what is missing of a study: first the tunings of its arms, then the runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from research.config import identity
from research.data.atomic import write_whole
from research.data.load import load
from research.doctor.before_study import check_before_study
from research.statistics.declared import read_claims
from research.studies.local import execute
from research.studies.plan import Planned, plan, settled, tunings
from research.studies.planned import write_plan
from research.studies.run_tunings import run_tunings
from research.studies.study import Study
from research.studies.worker import Message, Order
from research.training.names import run_directory
from research.training.record import open_directory, read_finished, write_record
from research.tuning.arm import Tuning


@dataclass(frozen=True)
class Standing:
    """A study as it stands: where it lies, all its runs, which of them are done, and the tunings before them."""

    directory: Path
    runs: list[Planned]
    done: list[bool]
    tunings: list[Tuning] = field(default_factory=list)

    @property
    def untuned(self) -> list[Tuning]:
        """Tunings that have not ended, or chose nothing."""
        return [tuning for tuning in self.tunings if tuning.chosen is None]


def prepare_study(study: Study, overrides: list[str], *, announce: Callable[[str], None] | None = None) -> Standing:
    """Plan the study, make its directory, fetch its data once.

    Raises:
        UserError: an arm makes no sense, a claim names none of them, the data cannot be had, or the directory cannot be
            written to.
    """
    runs = plan(study, overrides)
    directory = Path(runs[0].config.paths.runs) / study.name
    tests = {"claims": study.claims, "family": study.family}
    read_claims(tests, list(dict.fromkeys(run.label for run in runs)), f"study {study.name}")
    open_directory(directory)
    said = {
        "name": study.name,
        "question": study.question,
        "axes": study.all_axes,
        "seeds": study.seeds,
        "metrics": study.metrics,
        "baseline": study.baseline,
        "set": [*study.set, *(word for word in overrides if not word.startswith("paths."))],
        **({"arms": study.arms} if study.arms else {}),
        **({"tune": study.tune.written()} if study.tune else {}),
        **({"baselines": study.baselines, **tests} if study.claims or study.family != "holm" else {}),
    }
    write_whole(directory / "study.yaml", yaml.safe_dump(said, sort_keys=False).encode())
    for config in {str(run.config.data): run.config for run in runs}.values():
        check_before_study(config, *load(config, announce=announce), announce=announce)
    return _standing(study, directory, runs)


def _standing(study: Study, directory: Path, runs: list[Planned]) -> Standing:
    runs = settled(runs)
    write_plan(directory, runs)
    return Standing(directory, runs, [_is_done(run, study.name) for run in runs], tunings(runs))


def _is_done(run: Planned, study: str) -> bool:
    """Whether the run's record is there; what it says of its tuning is brought up to date."""
    if not run.ready:
        return False
    directory = run_directory(run.config, study)
    record = read_finished(directory, identity(run.config))
    if record and record.get("tuning") != run.tuned:
        write_record(directory, {**record, "tuning": run.tuned})
    return record is not None


def run_missing(
    study: Study, standing: Standing, *, workers: int | None, tell: Callable[[Planned | Tuning, Message], None]
) -> int:
    """Do every tuning and every run that is not done.

    Args:
        study: what to run.
        standing: from ``prepare_study``.
        workers: processes at one time; ``None`` is as many as the cores carry.
        tell: hears every message of every tuning and run.

    Returns:
        How many runs failed; those of an arm whose tuning failed count.
    """
    workers = workers or default_workers(standing.runs)
    if standing.untuned:
        run_tunings(standing.untuned, workers, tell)
        standing = _standing(study, standing.directory, standing.runs)
    failed = sum(not run.ready for run in standing.runs)
    orders = [
        Order(i, run.overrides, study.name, run.arm, run.label, run.tuned)
        for i, (run, done) in enumerate(zip(standing.runs, standing.done, strict=True))
        if run.ready and not done
    ]
    for message in execute(orders, workers):
        run = standing.runs[message.index]
        if message.kind == "failed":
            failed += 1
            _note_failure(run, study.name, message.content)
        tell(run, message)
    return failed


def default_workers(runs: list[Planned]) -> int:
    """Cores divided by the threads of a run; one when a run takes all cores."""
    threads = runs[0].config.trainer.threads
    return max(1, (os.cpu_count() or 1) // threads) if threads else 1


def _note_failure(run: Planned, study: str, reason: Any) -> None:
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
