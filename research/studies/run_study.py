"""Run what is missing of a study, then write its page."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from research.config import identity
from research.data.atomic import write_whole
from research.data.load import load
from research.studies.local import execute
from research.studies.study import Planned, Study, plan
from research.studies.worker import Message, Order
from research.training.names import run_directory
from research.training.record import open_directory, read_finished, write_record


@dataclass(frozen=True)
class Standing:
    """A study before it starts: where it lies, all its runs, and which of them are already done."""

    directory: Path
    runs: list[Planned]
    done: list[bool]


def prepare_study(study: Study, overrides: list[str], *, announce: Callable[[str], None] | None = None) -> Standing:
    """Plan the study, make its directory, fetch its data once.

    Raises:
        UserError: an arm makes no sense, the data cannot be had, or the directory cannot be written to.
    """
    runs = plan(study, overrides)
    directory = Path(runs[0].config.paths.runs) / study.name
    open_directory(directory)
    said = {
        "name": study.name,
        "question": study.question,
        "axes": study.axes,
        "seeds": study.seeds,
        "metrics": study.metrics,
        "baseline": study.baseline,
        "set": [*study.set, *(word for word in overrides if not word.startswith("paths."))],
    }
    write_whole(directory / "study.yaml", yaml.safe_dump(said, sort_keys=False).encode())
    for config in {str(run.config.data): run.config for run in runs}.values():
        load(config, announce=announce)
    done = [read_finished(run_directory(r.config, study.name), identity(r.config)) is not None for r in runs]
    return Standing(directory, runs, done)


def run_missing(
    study: Study, standing: Standing, *, workers: int | None, tell: Callable[[Planned, Message], None]
) -> int:
    """Do every run that is not done.

    Args:
        study: what to run.
        standing: from ``prepare_study``.
        workers: processes at one time; ``None`` is as many as the cores carry.
        tell: hears every message of every run.

    Returns:
        How many failed.
    """
    orders = [
        Order(i, run.overrides, study.name, run.arm, run.label)
        for i, (run, done) in enumerate(zip(standing.runs, standing.done, strict=True))
        if not done
    ]
    failed = 0
    for message in execute(orders, workers or default_workers(standing.runs)):
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
    }
    write_record(directory, record)
