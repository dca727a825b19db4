"""RePlay: SASRec with cross-entropy over the catalogue, through its Parquet module and Lightning module."""
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import lightning as pl
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from harness import Data, Window, arguments, free_stdout, read, write
from replay.data import FeatureHint, FeatureSource, FeatureType
from replay.data.nn import TensorFeatureInfo, TensorFeatureSource, TensorSchema
from replay.data.nn.parquet.parquet_module import ParquetModule
from replay.nn.lightning import LightningModule
from replay.nn.lightning.callback import TorchTopItemsCallback
from replay.nn.lightning.postprocessor import SeenItemsFilter
from replay.nn.sequential import SasRec
from replay.nn.transform.template import make_default_sasrec_transforms


class Watch(pl.Callback):
    """Stops training when the window is closed."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module, outputs, batch, batch_idx: int) -> None:
        trainer.should_stop = self.window.step(len(batch["padding_mask"]))


def lists(data: Data, held_out: int, least: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Users and their items from 0, without the last ``held_out``."""
    user, item, _ = data.rows(held_out)
    users, first = np.unique(user, return_index=True)
    rows = np.split(item - 1, first[1:])
    kept = [i for i, row in enumerate(rows) if len(row) >= least]
    return users[kept], [rows[i] for i in kept]


def save(path: Path, users: np.ndarray, **columns: list[np.ndarray]) -> str:
    """A Parquet file with one row a user."""
    arrays = {name: pa.array(rows, type=pa.list_(pa.int64())) for name, rows in columns.items()}
    pq.write_table(pa.table({"user_id": pa.array(users), **arrays}), path)
    return str(path)


def main() -> None:
    """Measure."""
    answer, asked = free_stdout(), arguments(["transformer"])
    window, data = Window(asked.warmup, asked.window), read(asked.data)
    padding = data.n_items
    item = TensorFeatureInfo(
        "item_id",
        is_seq=True,
        feature_type=FeatureType.CATEGORICAL,
        embedding_dim=64,
        padding_value=padding,
        cardinality=data.n_items,
        feature_hint=FeatureHint.ITEM_ID,
        feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
    )
    schema = TensorSchema([item])
    length = asked.max_length
    transforms = make_default_sasrec_transforms(schema)
    trainer_settings = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    with tempfile.TemporaryDirectory() as folder:
        users, rows = lists(data, 2, 2)
        test_users, test_rows = lists(data, 1, 1)
        test_users, test_rows = test_users[: asked.users], test_rows[: asked.users]
        longest = max(len(row) for row in test_rows)
        module = ParquetModule(
            batch_size={"train": 128, "predict": 256},
            metadata={
                # One item more than the model reads: inputs and targets are cut from the same row.
                "train": {"item_id": {"shape": length + 1, "padding": padding}},
                "predict": {
                    "user_id": {},
                    "item_id": {"shape": length, "padding": padding},
                    "seen_ids": {"shape": longest, "padding": padding},
                },
            },
            transforms={name: transforms[name] for name in ("train", "predict")},
            train_path=save(Path(folder) / "train.parquet", users, item_id=rows),
            predict_path=save(Path(folder) / "test.parquet", test_users, item_id=test_rows, seen_ids=test_rows),
        )
        model = SasRec.from_params(
            schema, embedding_dim=64, num_heads=2, num_blocks=2, max_sequence_length=length, dropout=0.2, hidden_dim=64
        )
        learner = LightningModule(model)
        learning = pl.Trainer(max_epochs=10**6, limit_val_batches=0, callbacks=[Watch(window)], **trainer_settings)
        learning.fit(learner, module)
        top = TorchTopItemsCallback(10, "user_id", postprocessors=[SeenItemsFilter(data.n_items)])
        started = time.perf_counter()
        pl.Trainer(callbacks=[top], **trainer_settings).predict(learner, module, return_predictions=False)
        seconds = time.perf_counter() - started
    write(
        answer,
        window,
        rows_per_epoch=len(users),
        histories=len(users),
        eval_users_per_s=len(test_users) / seconds,
        packages=["replay-rec", "lightning", "polars"],
        seen="filtered",
        batch="128 histories",
    )


if __name__ == "__main__":
    main()
