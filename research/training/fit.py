"""Train one model and rank the test items with its best epoch. ``train`` alone never asks for a test item."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig
from safetensors.torch import save_file

from research.data.histories import Histories
from research.data.reading import columns_read
from research.data.split import Split
from research.errors import UserError
from research.evaluation.baselines.base import baseline_of, rank_baseline
from research.evaluation.published import rule_of
from research.evaluation.table import Ranks
from research.schema import build
from research.training.assemble import assemble
from research.training.averaging import Averaging
from research.training.callbacks import Curves, Report, Reporter
from research.training.data import HistoryData
from research.training.machine import prepared_machine
from research.training.module import MONITOR, InterestTraining
from research.training.optimizer import AdamW
from research.training.profiler import NoProfiler
from research.training.schedule import Schedule
from research.training.settings import TrainerSettings


@dataclass(frozen=True)
class Fitted:
    """What training left.

    Attributes:
        ranks: of the test items.
        curves: one row an epoch.
        parameters: trained numbers.
        seconds: of training, of validation, of the test.
        correlation: of the two states over the test users; ``None`` where the fusion does not read two.
    """

    ranks: Ranks
    curves: list[dict[str, Any]]
    parameters: int
    seconds: dict[str, float]
    correlation: float | None = None


@dataclass(frozen=True)
class Trained:
    """A model behind its last epoch.

    Attributes:
        trainer: that trained it.
        module: the model in it.
        data: its loaders.
        curves: one row an epoch.
        best: file of the weights with the best validation NDCG@10; ``None`` where none were kept.
    """

    trainer: pl.Trainer
    module: InterestTraining
    data: HistoryData
    curves: list[dict[str, Any]]
    best: Path | None


def fit(
    config: DictConfig,
    histories: Histories,
    split: Split,
    directory: Path,
    *,
    logger: Logger | None = None,
    report: Report | None = None,
) -> Fitted:
    """Train until the budget or the patience ends, then test the epoch with the best validation NDCG@10.

    Args:
        config: a composed run.
        histories: its dataset.
        split: its protocol.
        directory: where checkpoints go; a ``last.ckpt`` found there is continued.
        logger: Lightning's, or none.
        report: listener for progress.

    Raises:
        UserError: the parts do not fit together, the loss diverged, or the checkpoint cannot be continued.
    """
    with prepared_machine(build(config.trainer, TrainerSettings)):
        trained = train(config, histories, split, directory, logger=logger, report=report)
        trainer, module = trained.trainer, trained.module
        module.load_state_dict(torch.load(trained.best or "", weights_only=True)["state_dict"])
        started = time.perf_counter()
        trainer.test(module, trained.data, verbose=False)
    if module.ranks is None:
        raise UserError("Training stopped before the test; start the same command again to continue.")
    seconds = {
        "train": sum(row["seconds"] for row in trained.curves),
        "validation": sum(row["seconds_validation"] for row in trained.curves),
        "test": time.perf_counter() - started,
    }
    if trainer.is_global_zero:
        save_file(module.model.state_dict(), directory / "weights.safetensors")
    parameters = sum(p.numel() for p in module.model.parameters())
    return Fitted(module.ranks, trained.curves, parameters, seconds, module.correlation)


def train(
    config: DictConfig,
    histories: Histories,
    split: Split,
    directory: Path | None,
    *,
    logger: Logger | None = None,
    report: Report | None = None,
    further: Sequence[pl.Callback] = (),
) -> Trained:
    """Train until the budget or the patience ends, within ``prepared_machine``.

    Args:
        config: a composed run.
        histories: its dataset.
        split: its protocol; the test queries are not looked at.
        directory: where checkpoints go, as for ``fit``; ``None`` keeps none.
        logger: Lightning's, or none.
        report: listener for progress.
        further: callbacks beside the run's own.

    Raises:
        UserError: as ``fit``.
    """
    settings = build(config.trainer, TrainerSettings)
    if config.batch_size < settings.devices:
        raise UserError(f"batch_size={config.batch_size} is less than trainer.devices={settings.devices}.")
    parts = assemble(config, histories, split.train)
    data = HistoryData(
        histories,
        split,
        parts.objective,
        max_length=config.max_length,
        batch_size=config.batch_size,
        seed=config.seed,
        columns=columns_read(parts.model.modules(), histories),
    )
    optimizer = build(config.optimizer, AdamW)
    module = InterestTraining(
        parts,
        optimizer,
        histories,
        split,
        positions_per_step=data.positions_per_step,
        seed=config.seed,
        schedule=build(config.schedule, Schedule) if config.get("schedule") else None,
        rule=rule_of(config),
    )
    averaging = [build(config.averaging, Averaging)] if config.get("averaging") else []
    curves = Curves()
    best = ModelCheckpoint(
        directory,
        "best",
        monitor=MONITOR,
        mode="max",
        save_weights_only=True,
        save_on_train_epoch_end=False,  # but right behind validation, while the weights that it saw are in place
        enable_version_counter=False,
    )
    last = ModelCheckpoint(directory, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    callbacks = [
        *averaging,
        curves,
        EarlyStopping(MONITOR, patience=settings.patience, mode="max", verbose=False),
        *([best, last] if directory else []),
        *([Reporter(report, curves)] if report else []),
        *further,
    ]
    trainer = pl.Trainer(
        accelerator=settings.accelerator,
        strategy=settings.strategy,
        devices=settings.devices,
        precision=settings.precision,
        max_epochs=settings.max_epochs,
        check_val_every_n_epoch=settings.validate_every,
        gradient_clip_val=optimizer.clip,
        deterministic=settings.deterministic,
        callbacks=callbacks,
        logger=logger or False,
        log_every_n_steps=10**9,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_checkpointing=directory is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        profiler=NoProfiler(),
    )
    unfinished = directory / "last.ckpt" if directory else None
    continued = unfinished if unfinished and unfinished.exists() else None
    trainer.fit(module, data, ckpt_path=continued, weights_only=True)
    return Trained(trainer, module, data, curves.rows, Path(best.best_model_path) if directory else None)


def fit_baseline(config: DictConfig, histories: Histories, split: Split) -> Fitted:
    """Fit a baseline, which has no epochs and no parameters that a gradient found, and rank the test items."""
    started = time.perf_counter()
    ranks = rank_baseline(baseline_of(config), histories, split, rule_of(config))
    return Fitted(ranks, [], 0, {"train": 0.0, "validation": 0.0, "test": time.perf_counter() - started})
