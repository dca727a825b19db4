"""One run, from a configuration to its record.

A finished run is returned as it stands. A killed one continues behind its last finished epoch and ends with the same
numbers as if it had never been killed, because every random stream is named by its epoch.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lightning.fabric.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from research.config import identity
from research.data.fetch import Announce
from research.data.load import load
from research.evaluation.facts import with_facts
from research.schema import build
from research.training.callbacks import Report
from research.training.compatible import check_compatible
from research.training.environment import code, environment
from research.training.fit import fit, fit_baseline
from research.training.loggers import Tracker
from research.training.names import cell, label, run_directory
from research.training.outcome import outcome
from research.training.record import open_directory, read_finished, write_config, write_finished, write_record


def run(
    config: DictConfig,
    *,
    study: str = "single",
    arm: dict[str, str] | None = None,
    name: str | None = None,
    tuning: dict[str, Any] | None = None,
    report: Report | None = None,
    announce: Announce | None = None,
) -> tuple[dict[str, Any], Path]:
    """Train and test what the configuration says, unless that is already done.

    Args:
        config: from ``research.config.compose``.
        study: the directory below ``paths.runs``.
        arm: the study's axes and their values, kept in the record.
        name: label of the arm; made from the configuration when not given.
        tuning: what chose some of the configuration's values, kept in the record.
        report: listener for training progress.
        announce: shows a line of text to the user.

    Returns:
        The record and its directory.

    Raises:
        UserError: whatever the user can mend; the reason stands in the record of the failed run too.
    """
    directory = run_directory(config, study)
    if finished := read_finished(directory, identity(config)):
        return finished, directory
    check_compatible(config)
    open_directory(directory)
    record: dict[str, Any] = {
        "schema": 1,
        "study": study,
        "cell": cell(config),
        "label": name or label(config),
        "arm": arm or {},
        "kind": "baseline" if config.get("baseline") else "model",
        "seed": config.seed,
        "identity": identity(config),
        "tuning": tuning,
        "config": OmegaConf.to_container(config, resolve=True),
        "code": code(),
        "environment": environment(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        histories, split = load(config, announce=announce)
        check_compatible(config, histories)
        if rank_zero_only.rank == 0:
            write_config(directory, config)
        tracker = build(config.logger, Tracker)
        logger = tracker.logger(directory, study, record["cell"], record["label"], record["config"])
        if config.get("baseline"):
            fitted = fit_baseline(config, histories, split)
        else:
            fitted = fit(config, histories, split, directory, logger=logger, report=report)
        record |= outcome(config, histories, split, fitted)
    except Exception as error:
        if rank_zero_only.rank == 0:
            write_record(directory, {**record, "status": "failed", "reason": f"{type(error).__name__}: {error}"})
        raise
    if rank_zero_only.rank == 0:
        write_finished(directory, record, with_facts(fitted.ranks, histories, split), fitted.curves)
        for leftover in ("last.ckpt", "best.ckpt"):
            (directory / leftover).unlink(missing_ok=True)
        tracker.finish(logger, record, fitted.ranks.weight_long)
    return record, directory
