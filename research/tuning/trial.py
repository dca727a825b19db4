"""One trial: a run up to its last epoch, on a split that has no test items left to ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import lightning as pl
import numpy as np
from omegaconf import DictConfig

from research.data.fetch import Announce
from research.data.load import load
from research.data.split import Queries, Split
from research.evaluation.baselines.base import baseline_of, rank_baseline
from research.evaluation.published import rule_of
from research.schema import build
from research.training.callbacks import CURVE, Report
from research.training.compatible import check_compatible
from research.training.fit import train
from research.training.machine import prepared_machine
from research.training.module import MONITOR
from research.training.settings import TrainerSettings
from research.tuning.budget import METRIC

Watch = Callable[[int, float], bool]
"""Hears epoch and validation value; ``True`` ends the trial."""


@dataclass(frozen=True)
class Tried:
    """What came of a trial: the best validation value, ``None`` if none was measured, and what it cost."""

    value: float | None
    epochs: int
    best_epoch: int
    seconds: float


def without_test(split: Split) -> Split:
    """The split with no test query at all: what is trained on it cannot be asked for a test item."""
    nobody = np.zeros(0, dtype=np.int64)
    return replace(split, test=Queries(nobody, nobody, nobody, nobody))


def try_out(
    config: DictConfig, watch: Watch, *, report: Report | None = None, announce: Announce | None = None
) -> Callable[[], Tried]:
    """Load the data of a trial, and return what runs it: what fails before is no fault of the trial's values.

    Args:
        config: a composed run.
        watch: asked after every validation whether to end.
        report: listener for progress.
        announce: shows a line of text to the user.

    Raises:
        UserError: the data cannot be had, or the parts do not fit it.
    """
    histories, split = load(config, announce=announce)
    check_compatible(config, histories)

    def model() -> Tried:
        with prepared_machine(build(config.trainer, TrainerSettings)):
            trained = train(config, histories, without_test(split), None, report=report, further=[Watcher(watch)])
        validated = [row for row in trained.curves if row[CURVE] is not None]
        best: dict[str, Any] = max(validated, key=lambda row: row[CURVE], default={})
        seconds = sum(row["seconds"] + row["seconds_validation"] for row in trained.curves)
        return Tried(best.get(CURVE), len(trained.curves), best.get("epoch", 0), seconds)

    def baseline() -> Tried:
        started = time.perf_counter()
        # The validation items take the place of the test items, which are thereby gone.
        asked = replace(split, test=split.validation)
        ranks = rank_baseline(baseline_of(config), histories, asked, rule_of(config))
        return Tried(ranks.mean(METRIC), 0, 0, time.perf_counter() - started)

    return baseline if config.get("baseline") else model


class Watcher(pl.Callback):
    """Tells every validation value of a training, and ends it when asked to."""

    def __init__(self, watch: Watch) -> None:
        """Choose the listener."""
        self.watch = watch

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.watch(trainer.current_epoch + 1, float(trainer.callback_metrics[MONITOR])):
            trainer.should_stop = True
