"""Run what is missing of a study: first the tunings of its arms, then the runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from research.data.atomic import write_whole
from research.data.load import load
from research.doctor.before_study import check_before_study, to_examine
from research.statistics.declared import read_claims
from research.studies.choice import Choice
from research.studies.executors.base import Executor
from research.studies.executors.local import Local
from research.studies.plan import Planned, plan, tunings
from research.studies.run_tunings import run_tunings
from research.studies.standing import Standing, note_failure, stand
from research.studies.study import Study
from research.studies.worker import Message, Order
from research.training.record import open_directory
from research.tuning.arm import Tuning


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
        **({"bundles": study.bundles} if study.bundles else {}),
        **({"exclude": study.exclude} if study.exclude else {}),
        **({"tune": study.tune.written()} if study.tune else {}),
        **({"baselines": study.baselines, **tests} if study.claims or study.family != "holm" else {}),
    }
    write_whole(directory / "study.yaml", yaml.safe_dump(said, sort_keys=False).encode())
    for config in to_examine(run.config for run in runs):
        check_before_study(config, *load(config, announce=announce), announce=announce)
    return stand(study.name, directory, runs)


def run_missing(
    study: Study,
    standing: Standing,
    *,
    executor: Executor | None = None,
    tell: Callable[[Planned | Tuning, Message], None],
    choice: Choice = Choice(),  # noqa: B008
) -> int:
    """Do every tuning and every run that is missing; what another process is doing is left to it.

    Args:
        study: what to run.
        standing: from ``prepare_study``.
        executor: who carries the runs out; ``None`` is as many processes of this machine as its cores carry.
        tell: hears every message of every tuning and run.
        choice: which of them this start does.

    Returns:
        How many runs failed in this start; those of an arm whose tuning failed count.
    """
    executor = executor or Local()
    failed = 0
    if untuned := tunings([standing.runs[i] for i in standing.ahead(choice)], ready=False):
        run_tunings(untuned, executor, tell, again=choice.retry_failed)
        standing = stand(study.name, standing.directory, standing.runs)
        hopeless = {tuning.stem for tuning in standing.untuned if tuning.read()} & {each.stem for each in untuned}
        failed = sum(choice.takes(run) and run.tuning.stem in hopeless for run in standing.runs if run.tuning)
    for message in executor.execute(orders(standing, choice), standing.directory):
        run = standing.runs[message.index]
        if message.kind == "failed":
            failed += 1
            note_failure(run, study.name, message.content)
        tell(run, message)
    return failed


def orders(standing: Standing, choice: Choice) -> list[Order]:
    """The runs that a start has to do and that know their values."""
    study, again = standing.directory.name, choice.retry_failed
    return [
        Order(i, run.overrides, study, run.arm, run.label, run.tuned, again, _threads(run))
        for i in standing.ahead(choice)
        if (run := standing.runs[i]).ready
    ]


def _threads(run: Planned) -> int | None:
    """CPU threads that a run takes in all its processes; ``None``: all there are."""
    trainer = run.config.trainer
    return trainer.threads and trainer.threads * trainer.devices
