"""RecTools' SASRec trained for so many seconds, then asked for ten items a user; runs in the peer's environment.

Its weights are copied on the way, and behind the training each copy is asked for the validation items: its clock holds
nothing but training.
"""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

sys.path.append(str(Path(__file__).parents[1] / "peers"))
from harness import Data, free_stdout, read
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

# RecTools trains with a copy of what it is given, so what the callback learns lies here.
BEGUN: list[float] = []
STEPS: list[int] = []
COPIES: list[tuple[float, dict[str, torch.Tensor]]] = []
MARKS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
"""When the weights are copied, in shares of the time."""


class Watch(pl.Callback):
    """Stops training when the time is used; it runs from the start of the first step."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module, batch, batch_idx: int) -> None:
        if not BEGUN:
            BEGUN.append(time.perf_counter())

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        STEPS.append(len(batch["x"]))
        passed = time.perf_counter() - BEGUN[0]
        if len(COPIES) < len(MARKS) and passed >= MARKS[len(COPIES)] * self.seconds:
            COPIES.append((passed, {name: value.clone() for name, value in pl_module.state_dict().items()}))
        trainer.should_stop = len(COPIES) == len(MARKS)


def dataset(data: Data, held_out: int) -> Dataset:
    """All but the last ``held_out`` items of each user."""
    user, item, place = data.rows(held_out)
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(place, unit="s")
    return Dataset.construct(
        pd.DataFrame({Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: times})
    )


def places(model: SASRecModel, data: Data, held_out: int) -> tuple[np.ndarray, int]:
    """Ask for ten items behind all but the last ``held_out`` of each history.

    Returns:
        The places, from 1, of the targets that are among the ten, and how many were asked for.
    """
    # Of each user with three or more; everything before it is known.
    user, item, place = data.rows(held_out - 1)
    length_U = np.diff(data.offsets)
    is_target = (length_U[user] >= 3) & (place == length_U[user] - held_out)
    target = pd.Series(item[is_target], index=user[is_target])
    users = target.index.to_numpy()
    found = model.recommend(users=users, dataset=dataset(data, held_out), k=10, filter_viewed=True)
    found = found[found[Columns.Item].to_numpy() == target.loc[found[Columns.User]].to_numpy()]
    return found[Columns.Rank].to_numpy(), len(target)


def ndcg(place: np.ndarray, asked: int) -> float:
    return float((1 / np.log2(place + 1)).sum() / asked)


def main() -> None:
    """Train, recommend, and write one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--max-length", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    asked, answer = parser.parse_args(), free_stdout()
    data = read(asked.data)
    pl.seed_everything(asked.seed)
    model = SASRecModel(
        n_factors=64,
        n_blocks=2,
        n_heads=2,
        dropout_rate=0.2,
        session_max_len=asked.max_length,
        loss="softmax",
        lr=1e-3,
        batch_size=128,
        get_trainer_func=lambda: pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=10**6,
            min_epochs=0,
            callbacks=[Watch(asked.seconds)],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ),
    )
    train = dataset(data, 2)
    model.fit(train)
    seconds = time.perf_counter() - BEGUN[0]
    place, users = places(model, data, 1)
    result = {
        "users": users,
        "recall@10": len(place) / users,
        "ndcg@10": ndcg(place, users),
        "seconds": seconds,
        "epochs": sum(STEPS) / int((train.interactions.df.groupby(Columns.User).size() >= 2).sum()),
        "threads": torch.get_num_threads(),
        "curve": [],
    }
    for passed, state in COPIES:
        model.lightning_model.load_state_dict(state)
        result["curve"].append([passed, ndcg(*places(model, data, 2))])
    os.write(answer, (json.dumps(result) + "\n").encode())


if __name__ == "__main__":
    main()
