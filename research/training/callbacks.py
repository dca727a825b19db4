"""What is kept and shown while a run trains: a curve, a progress report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lightning as pl

from research.training.module import MONITOR, InterestTraining

CURVE = "val_ndcg@10"
"""The column of validation NDCG@10 in ``curves.parquet``."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        done: steps done in all epochs.
        total: steps of all epochs if none is saved by early stopping.
        epoch: current epoch, from 1.
        value: latest validation NDCG@10.
        best: best so far.
    """

    done: int
    total: int
    epoch: int
    value: float | None
    best: float | None


Report = Callable[[Progress], None]


class Curves(pl.Callback):
    """One row an epoch: loss, validation metric, seconds of training and of validation."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._started = self._validation_started = 0.0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Not on_train_epoch_start, which Lightning skips for the first epoch after a resume.
        if batch_idx > 0:
            return
        self._started = time.perf_counter()
        self._row: dict[str, Any] = {
            "epoch": trainer.current_epoch + 1,
            "seconds_validation": 0.0,
            CURVE: None,
        }

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._validation_started = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._row["seconds_validation"] = time.perf_counter() - self._validation_started
        self._row[CURVE] = float(trainer.callback_metrics[MONITOR])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, InterestTraining)
        seconds = time.perf_counter() - self._started - self._row["seconds_validation"]
        self.rows.append({**self._row, "train_loss": pl_module.epoch_loss(), "seconds": seconds})

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


class Reporter(pl.Callback):
    """Tells whoever shows progress how far the run is.

    Attributes:
        pause: seconds between two steps that are told; the end of an epoch always is.
    """

    pause = 0.2

    def __init__(self, report: Report, curves: Curves) -> None:
        """Choose the listener; ``curves`` knows the values so far."""
        self.report, self.curves = report, curves
        self._last = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        now = time.perf_counter()
        if now - self._last > self.pause:
            self._last = now
            self._tell(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._tell(trainer)

    def _tell(self, trainer: pl.Trainer) -> None:
        values = [row[CURVE] for row in self.curves.rows if row[CURVE] is not None]
        steps = int(trainer.num_training_batches)
        self.report(
            Progress(
                done=trainer.global_step,
                total=steps * int(trainer.max_epochs or 1),
                epoch=trainer.current_epoch + 1,
                value=values[-1] if values else None,
                best=max(values) if values else None,
            )
        )
