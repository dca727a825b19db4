"""Averages of weights: their values, and that validation, the best checkpoint and nothing else see them."""

from __future__ import annotations

from typing import Any

import lightning as pl
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader

from research.errors import UserError
from research.training.averaging import EMA, SWA, Averaging

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS, STEPS = 4, 3


class Walk(pl.LightningModule):
    """One weight that grows by 1 at every step; notes what it is when."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.trained: list[float] = []
        self.validated: list[float] = []

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        self.trained.append(self.weight.item())
        return -self.weight.sum()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.validated.append(self.weight.item())
        self.log("value", self.weight.detach().sum().float(), batch_size=1)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def walk(averaging: Averaging, tmp_path, every: int = 1) -> tuple[Walk, ModelCheckpoint, ModelCheckpoint]:
    module = Walk()
    best = ModelCheckpoint(
        tmp_path, "best", monitor="value", mode="max", save_weights_only=True, save_on_train_epoch_end=False
    )
    last = ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=EPOCHS,
        callbacks=[averaging, best, last],
        check_val_every_n_epoch=every,
        logger=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, DataLoader(range(STEPS)), DataLoader(range(1)))  # type: ignore[arg-type]
    return module, best, last


def ema(decay: float, first: int) -> list[float]:
    """Averages at the ends of epochs, ``first`` steps being left out."""
    average, found = None, []
    for step in range(EPOCHS * STEPS):
        weight = step + 1.0
        if step >= first:
            average = weight if average is None else decay * average + (1 - decay) * weight
        if step % STEPS == STEPS - 1:
            found.append(weight if average is None else average)
    return found


@pytest.mark.parametrize(
    ("averaging", "expected"),
    [
        (lambda: EMA(decay=0.5), ema(0.5, 0)),
        (lambda: EMA(decay=0.9, start_epoch=3), ema(0.9, 6)),
        (lambda: SWA(start_epoch=1), [3.0, 4.5, 6.0, 7.5]),  # means of 3, 6, 9, 12
        (lambda: SWA(start_epoch=3), [3.0, 6.0, 9.0, 10.5]),
    ],
)
def test_what_validation_sees(averaging, expected: list[float], tmp_path) -> None:
    module, best, last = walk(averaging(), tmp_path)
    assert module.validated == pytest.approx(expected)
    assert module.trained == [float(i) for i in range(EPOCHS * STEPS)], "training goes on with the plain weights"
    kept = torch.load(best.best_model_path, weights_only=True)
    assert float(kept["state_dict"]["weight"]) == pytest.approx(expected[-1]), "the best epoch is kept as it was seen"
    whole = torch.load(last.best_model_path, weights_only=True)
    assert float(whole["state_dict"]["weight"]) == EPOCHS * STEPS, "what continues is the plain weight"


def test_epochs_without_validation_are_averaged_too(tmp_path) -> None:
    module, _, _ = walk(SWA(start_epoch=1), tmp_path, every=2)
    assert module.validated == pytest.approx([4.5, 7.5])


@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_wrong_decay(decay: float) -> None:
    with pytest.raises(UserError, match=rf"averaging\.decay={decay}"):
        EMA(decay=decay)


@pytest.mark.parametrize("kind", [EMA, SWA])
def test_wrong_start(kind) -> None:
    with pytest.raises(UserError, match=r"averaging\.start_epoch=0"):
        kind(start_epoch=0)
