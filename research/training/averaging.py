"""Averages of weights along the way, which are validated, chosen and tested in place of the last ones.

    ema   average <- decay * average + (1 - decay) * weights        after every step
    swa   average <- mean of the weights at the ends of epochs      from ``start_epoch`` on

Training itself goes on with the plain weights. Not Lightning's own callback: its checkpoints of weights alone hold the
plain weights, and it copies the whole LightningModule, histories and all.

Polyak and Juditsky, 1992 (ema as practised since); Izmailov et al., UAI 2018, arXiv 1803.05407 (swa). Departure of swa:
the learning rate is what ``schedule`` says.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import lightning as pl
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn

from research.errors import UserError


class Averaging(pl.Callback):
    """Keeps the average, and shows it to validation and to the checkpoint of the best epoch."""

    def __init__(self) -> None:
        self.average: list[Tensor] = []
        self.count = 0
        self._plain: list[Tensor] = []

    @abstractmethod
    def merge(self, weights: list[Tensor]) -> None:
        """Merge the weights into an average that exists already."""

    def update(self, module: pl.LightningModule) -> None:
        """Take the present weights into the average; the first ones are the average."""
        weights = [p.detach() for p in module.parameters()]
        if self.count == 0:
            self.average = [w.clone() for w in weights]
        else:
            self.average = [a.to(w.device) for a, w in zip(self.average, weights, strict=True)]
            self.merge(weights)
        self.count += 1

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.count > 0 and trainer.state.fn == TrainerFn.FITTING:
            self._plain = [p.detach().clone() for p in pl_module.parameters()]
            _set(pl_module, self.average)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Not at the end of validation: the checkpoint of the best epoch is written behind that and keeps the average.
        if self._plain:
            _set(pl_module, self._plain)
            self._plain = []

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.average, self.count = state_dict["average"], state_dict["count"]


def _set(module: pl.LightningModule, values: list[Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(value)


class EMA(Averaging):
    """Exponential moving average over steps."""

    def __init__(self, *, decay: float = 0.999, start_epoch: int = 1) -> None:
        """Set the memory.

        Args:
            decay: of the old average at every step; 0.999 remembers some thousand steps.
            start_epoch: epoch from which on weights are averaged, from 1.

        Raises:
            UserError: the decay is not strictly between 0 and 1, or the epoch below 1.
        """
        super().__init__()
        if not 0 < decay < 1 or start_epoch < 1:
            raise UserError(
                f"averaging.decay={decay}, averaging.start_epoch={start_epoch}: a decay strictly between 0 and 1, an "
                "epoch of at least 1."
            )
        self.start_epoch = start_epoch
        self._merge = get_ema_multi_avg_fn(decay)

    def merge(self, weights: list[Tensor]) -> None:
        self._merge(self.average, weights, self.count)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        if trainer.current_epoch + 1 >= self.start_epoch:
            self.update(pl_module)


class SWA(Averaging):
    """Mean over the ends of epochs."""

    def __init__(self, *, start_epoch: int = 10) -> None:
        """Set the start.

        Args:
            start_epoch: first epoch whose end counts, from 1.

        Raises:
            UserError: it is below 1.
        """
        super().__init__()
        if start_epoch < 1:
            raise UserError(f"averaging.start_epoch={start_epoch}: at least 1.")
        self.start_epoch = start_epoch
        self._merge = get_swa_multi_avg_fn()

    def merge(self, weights: list[Tensor]) -> None:
        self._merge(self.average, weights, self.count)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        # Here and not at the end of the epoch, which comes behind its validation.
        if trainer.is_last_batch and trainer.current_epoch + 1 >= self.start_epoch:
            self.update(pl_module)
