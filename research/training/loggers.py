"""Experiment trackers. The record on disk is the truth; a tracker is a mirror of it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from omegaconf import OmegaConf

from research.config import identity
from research.tracking.names import run_id, summary, table_id

if TYPE_CHECKING:  # a study's own process asks for a tracker too, and trains nothing
    from lightning.pytorch.loggers import Logger


class Tracker(ABC):
    """Makes Lightning's logger for one run."""

    @abstractmethod
    def logger(self, directory: Path, study: str, cell: str, label: str, config: dict[str, Any]) -> Logger | None:
        """The logger of a run: its directory, its study, cell and arm, and the configuration to show with it."""

    @abstractmethod
    def finish(self, logger: Logger | None, record: dict[str, Any], weights: np.ndarray) -> None:
        """Send what is only known at the end.

        Args:
            logger: of this run.
            record: the finished record.
            weights: share of the long branch for every test user, NaN where none is defined.
        """


class NoLogger(Tracker):
    """No tracker."""

    def logger(self, directory: Path, study: str, cell: str, label: str, config: dict[str, Any]) -> None:
        return None

    def finish(self, logger: Logger | None, record: dict[str, Any], weights: np.ndarray) -> None:
        """Nothing to send."""


class Wandb(Tracker):
    """Weights & Biases through Lightning: online with a key, offline without."""

    def __init__(
        self,
        *,
        project: str = "interest-fusion",
        entity: str | None = None,
        mode: Literal["auto", "online", "offline"] = "auto",
    ) -> None:
        """Choose where runs go.

        Args:
            project: W&B project.
            entity: W&B user or team; ``None`` is the key's own.
            mode: ``auto`` is online when WANDB_API_KEY or a login exists, else offline.
        """
        self.project, self.entity, self.mode = project, entity, mode

    @property
    def offline(self) -> bool:
        """Whether runs stay on this machine until ``wandb sync``."""
        if self.mode != "auto":
            return self.mode == "offline"
        netrc = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
        key = os.environ.get("WANDB_API_KEY") or (netrc.exists() and "wandb" in netrc.read_text(errors="ignore"))
        return os.environ.get("WANDB_MODE") == "offline" or not key

    def logger(self, directory: Path, study: str, cell: str, label: str, config: dict[str, Any]) -> Logger:
        from lightning.pytorch.loggers import WandbLogger

        return WandbLogger(
            project=self.project,
            entity=self.entity,
            save_dir=str(directory),
            offline=self.offline,
            name=f"{label} seed {config['seed']}",
            # The same run again, or rebuilt from its record, is the same run there too.
            id=run_id(study, identity(OmegaConf.create(config)), config["seed"]),
            group=study,
            job_type=cell,
            config=config,
            log_model=False,
        )

    def finish(self, logger: Logger | None, record: dict[str, Any], weights: np.ndarray) -> None:
        import wandb
        from lightning.pytorch.loggers import WandbLogger

        if not isinstance(logger, WandbLogger):
            return
        run = logger.experiment
        run.summary.update(summary(record))
        if not np.isnan(weights).any():
            run.log({"test/weight_long": wandb.Histogram(weights.tolist())})
        run.finish()

    def log_table(
        self,
        directory: Path,
        study: str,
        header: list[Any],
        rows: list[Any],
        figures: Mapping[str, str] | None = None,
    ) -> None:
        """Send a study's table, and its figures as SVG by name, as a run of its own in the study's group."""
        import wandb

        with wandb.init(
            project=self.project,
            entity=self.entity,
            dir=str(directory),
            mode="offline" if self.offline else "online",
            name=f"{study} table",
            id=table_id(study),
            resume="allow",
            group=study,
            job_type="table",
        ) as run:
            drawn = {name: wandb.Html(svg, data_is_not_path=True) for name, svg in (figures or {}).items()}
            run.log({"table": wandb.Table(columns=header, data=rows), **drawn})
