"""RecTools' SASRec trained for so many seconds, then asked for ten items a user; runs in the peer's environment."""
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

BEGUN: list[float] = []
STEPS: list[int] = []


class Watch(pl.Callback):
    """Stops training when the time is used; it runs from the start of the first step."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module, batch, batch_idx: int) -> None:
        if not BEGUN:
            BEGUN.append(time.perf_counter())

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        STEPS.append(len(batch["x"]))
        trainer.should_stop = time.perf_counter() - BEGUN[0] >= self.seconds


def dataset(data: Data, held_out: int) -> Dataset:
    """All but the last ``held_out`` items of each user."""
    user, item, place = data.rows(held_out)
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(place, unit="s")
    return Dataset.construct(
        pd.DataFrame({Columns.User: user, Columns.Item: item, Columns.Weight: 1.0, Columns.Datetime: times})
    )


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
    # The last item of each user with three or more is the test item; everything before it is known.
    user, item, place = data.rows(0)
    length_U = np.diff(data.offsets)
    is_target = (length_U[user] >= 3) & (place == length_U[user] - 1)
    target = pd.Series(item[is_target], index=user[is_target])
    found = model.recommend(users=target.index.to_numpy(), dataset=dataset(data, 1), k=10, filter_viewed=True)
    found = found[found[Columns.Item].to_numpy() == target.loc[found[Columns.User]].to_numpy()]
    rank = found[Columns.Rank].to_numpy()
    result = {
        "users": len(target),
        "recall@10": len(rank) / len(target),
        "ndcg@10": float((1 / np.log2(rank + 1)).sum() / len(target)),
        "seconds": seconds,
        "epochs": sum(STEPS) / int((train.interactions.df.groupby(Columns.User).size() >= 2).sum()),
        "threads": torch.get_num_threads(),
    }
    os.write(answer, (json.dumps(result) + "\n").encode())


if __name__ == "__main__":
    main()
