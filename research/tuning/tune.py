"""Do the trials of a tuning that are missing: propose, train, validate, note, until the budget is used."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from research.config import identity
from research.data.fetch import Announce
from research.errors import UserError
from research.training.callbacks import Progress, Report
from research.training.record import open_directory
from research.tuning.arm import Tuning
from research.tuning.journal import Journal
from research.tuning.proposals import propose
from research.tuning.space import words
from research.tuning.trial import Tried, try_out

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def tune(tuning: Tuning, *, report: Report | None = None, announce: Announce | None = None) -> dict[str, Any]:
    """Do every trial that has not ended, then choose.

    A trial that fails, or whose values make no run together, is noted with its reason and counts. A tuning of which
    every trial failed starts anew.

    Args:
        tuning: what to tune.
        report: listener for the progress of all trials together.
        announce: shows a line of text to the user.

    Returns:
        The result, as ``Tuning.write`` states it; its status is failed when no trial ended well.

    Raises:
        UserError: Optuna is missing, the data cannot be had, or the directory cannot be written to.
    """
    if (result := tuning.read()) and result["status"] == "finished":
        return result
    open_directory(tuning.directory)
    if result:
        tuning.result.unlink()
        tuning.journal.unlink(missing_ok=True)
    journal = Journal(tuning.journal)
    while len(ended := journal.trials()) < tuning.budget.trials:
        trial, study = _next(tuning, ended)
        try:
            config = tuning.config(trial.params)
        except UserError as error:  # each value alone is one, as ``corners`` saw; these together are no run
            _fail(trial, study, str(error))
        else:
            if not _known(trial, identity(config), ended, study):
                watch, told = _watch(trial, tuning), _part(report, len(ended), tuning)
                _carry_out(try_out(config, watch, report=told, announce=announce), trial, study)
        journal.add(study.trials[-1])
        if announce:
            announce(f"{tuning.label}, trial {len(ended) + 1} of {tuning.budget.trials}: {_said(study.trials[-1])}")
    return tuning.write([_plain(trial) for trial in journal.trials()])


def note_death(tuning: Tuning, reason: str) -> str:
    """Note that the process of the trial under way died; the trial counts as failed.

    Returns:
        A line for the reader.
    """
    journal = Journal(tuning.journal)
    ended = journal.trials()
    if len(ended) < tuning.budget.trials:
        trial, study = _next(tuning, ended)
        _fail(trial, study, reason)
        journal.add(study.trials[-1])
    return f"{tuning.label}, trial {len(ended) + 1} of {tuning.budget.trials}: FAILED, {reason}"


def _next(tuning: Tuning, ended: list[FrozenTrial]) -> tuple[optuna.Trial, optuna.Study]:
    # A trial that learns slowly deserves a quarter of the epochs before it is compared with others.
    warm_up = tuning.corners[0].trainer.max_epochs // 4
    study, trial = propose(tuning.budget, tuning.space, ended, warm_up=warm_up)
    return trial, study


def _known(trial: optuna.Trial, same: str, ended: list[FrozenTrial], study: optuna.Study) -> bool:
    """Take over the outcome of an earlier trial of the very same run, which would come out alike."""
    trial.set_user_attr("identity", same)
    for earlier in ended:
        if earlier.user_attrs.get("identity") == same and STATES[earlier.state.name] == "complete":
            for epoch, value in earlier.intermediate_values.items():
                trial.report(value, epoch)
            for key in ("epochs", "best_epoch"):
                trial.set_user_attr(key, earlier.user_attrs[key])
            trial.set_user_attr("same_as", earlier.number)
            study.tell(trial, earlier.value)
            return True
    return False


def _watch(trial: optuna.Trial, tuning: Tuning) -> Callable[[int, float], bool]:
    def watch(epoch: int, value: float) -> bool:
        trial.report(value, epoch)
        if tuning.budget.prune and trial.should_prune():
            trial.set_user_attr("pruned", True)
            return True
        return False

    return watch


def _carry_out(run: Callable[[], Tried], trial: optuna.Trial, study: optuna.Study) -> None:
    from optuna.trial import TrialState

    try:
        tried = run()
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:
            raise  # a full disk is nothing that other values would mend
        _fail(trial, study, f"{type(error).__name__}: {error}")
        return
    for key in ("epochs", "best_epoch", "seconds"):
        trial.set_user_attr(key, getattr(tried, key))
    if trial.user_attrs.get("pruned"):
        study.tell(trial, state=TrialState.PRUNED)
    elif tried.value is None:
        _fail(trial, study, f"No validation within {tried.epochs} epochs.")
    else:
        study.tell(trial, tried.value)


def _fail(trial: optuna.Trial, study: optuna.Study, reason: str) -> None:
    from optuna.trial import TrialState

    trial.set_user_attr("reason", " ".join(reason.split())[:1000])
    study.tell(trial, state=TrialState.FAIL)


def _plain(trial: FrozenTrial) -> dict[str, Any]:
    """A trial as the result states it."""
    known = trial.user_attrs
    state = STATES[trial.state.name]
    return {
        "number": trial.number,
        "state": state,
        "values": dict(trial.params),
        "validation": trial.value if state == "complete" else None,
        "epochs": known.get("epochs"),
        "best_epoch": known.get("best_epoch"),
        "seconds": known.get("seconds", 0.0),
        "reason": known.get("reason"),
        "same_as": known.get("same_as"),
    }


def _said(trial: FrozenTrial) -> str:
    tried = _plain(trial)
    outcome = {
        "complete": f"validation {tried['validation'] or 0:.4f}",
        "pruned": f"pruned in epoch {tried['epochs']}",
        "failed": f"FAILED, {tried['reason']}",
    }[tried["state"]]
    return f"{outcome} ({' '.join(words(tried['values']))})"


def _part(report: Report | None, number: int, tuning: Tuning) -> Report | None:
    """Progress of a trial as progress of the whole tuning."""
    if report is None:
        return None

    def told(progress: Progress) -> None:
        done, total = number * progress.total + progress.done, tuning.budget.trials * progress.total
        report(replace(progress, done=done, total=total))

    return told
