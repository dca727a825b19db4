"""RecTools: SASRec and BERT4Rec with softmax over the catalogue, through its own fit and recommend.

It copies its trainer, callbacks included, before it trains: the window is therefore a global of this module.
"""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import time

import pandas as pd
import pytorch_lightning as pl
from harness import Window, arguments, free_stdout, read, write
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import BERT4RecModel, SASRecModel

ANSWER = free_stdout()
ASKED = arguments(["transformer", "bert4rec"])
WINDOW = Window(ASKED.warmup, ASKED.window)


class Watch(pl.Callback):
    """Stops training when the window is closed."""

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        trainer.should_stop = WINDOW.step(len(batch["x"]))


def trainer() -> pl.Trainer:
    """A trainer without logs, bars and checkpoints, which would only cost time."""
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=10**6,
        min_epochs=0,
        callbacks=[Watch()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def dataset(data, held_out: int) -> Dataset:
    """All but the last ``held_out`` items of each user."""
    user, item, place = data.rows(held_out)
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(place, unit="s")
    frame = pd.DataFrame({Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: times})
    return Dataset.construct(frame)


def main() -> None:
    """Measure."""
    data = read(ASKED.data)
    sizes = {"n_factors": 64, "n_blocks": 2, "n_heads": 2, "dropout_rate": 0.2, "session_max_len": ASKED.max_length}
    training = {"loss": "softmax", "lr": 1e-3, "batch_size": 128, "get_trainer_func": trainer}
    if ASKED.model == "transformer":
        model = SASRecModel(**sizes, **training)
    else:
        model = BERT4RecModel(**sizes, **training, mask_prob=0.2)
    train = dataset(data, 2)
    model.fit(train)
    histories = int((train.interactions.df.groupby(Columns.User).size() >= 2).sum())
    users = pd.unique(data.rows(1)[0])[: ASKED.users]
    asked = dataset(data, 1)
    started = time.perf_counter()
    model.recommend(users=users, dataset=asked, k=10, filter_viewed=True)
    seconds = time.perf_counter() - started
    write(
        ANSWER,
        WINDOW,
        rows_per_epoch=histories,
        histories=histories,
        eval_users_per_s=len(users) / seconds,
        packages=["rectools", "pytorch-lightning", "pandas"],
        seen="filtered",
        batch="128 histories",
    )


if __name__ == "__main__":
    main()
