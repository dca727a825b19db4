"""Run directories written by hand, for tests that read records and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

CONFIG = {
    "data": {"_target_": "research.data.sources.simulated.Simulated", "n_users": 4},
    "fusion": {"_target_": "research.fusion.gated.Gated", "elementwise": True},
    "optimizer": {"_target_": "research.training.optimizer.AdamW", "lr": 0.001},
    "seed": 1,
    "paths": {"runs": "/somewhere/else", "cache": None},
    "logger": {"_target_": "research.training.loggers.NoLogger"},
}


def made_run(
    runs: Path,
    better: Sequence[int],
    *,
    study: str = "mine",
    cell: str = "gated-1",
    seed: int = 1,
    users: Sequence[int] | None = None,
    targets: Sequence[int] | None = None,
    lengths: Sequence[int] | None = None,
    weights: Sequence[float] | None = None,
    curve: Sequence[float] = (),
    columns: dict[str, list[Any]] | None = None,
    **fields: Any,
) -> Path:
    """A finished run in ``runs/study/cell/seed-n``; ``fields`` replace those of the record."""
    directory = runs / study / cell / f"seed-{seed}"
    directory.mkdir(parents=True)
    count = len(better)
    table = {
        "user": pa.array(users or range(count), pa.int32()),
        "target": pa.array(targets or [3] * count, pa.int32()),
        "better": pa.array(better, pa.int32()),
        "ties": pa.array([0] * count, pa.int32()),
        "candidates": pa.array([100] * count, pa.int32()),
        "history_length": pa.array(lengths or [7] * count, pa.int32()),
        "weight_long": pa.array(weights or [None] * count, pa.float32()),
        "weight_short": pa.array([1 - weight for weight in weights] if weights else [None] * count, pa.float32()),
        **{name: pa.array(values) for name, values in (columns or {}).items()},
    }
    parquet.write_table(pa.table(table), directory / "ranks.parquet")
    if curve:
        rows = [
            {"epoch": epoch, "val_ndcg@10": value, "train_loss": 1 / epoch, "seconds": 2.0, "seconds_validation": 0.5}
            for epoch, value in enumerate(curve, start=1)
        ]
        parquet.write_table(pa.Table.from_pylist(rows), directory / "curves.parquet")
    record = {
        "schema": 1,
        "status": "finished",
        "study": study,
        "cell": cell,
        "label": cell.rpartition("-")[0],
        "arm": {"fusion": cell.rpartition("-")[0]},
        "kind": "model",
        "seed": seed,
        "identity": f"{abs(hash((cell, seed))):064x}",
        "config": {**CONFIG, "seed": seed},
        "code": {"version": "0.1.0", "commit": "c" * 40},
        "environment": {"processor": "one"},
        "data": {"name": "toy", "digest": "d" * 64, "audit": {}},
        "protocol": {"split": "leave-one-out", "ranking": "full catalogue", "users": count},
        "parameters": 1200,
        "seconds": {"train": 10.0 * seed, "validation": 1.0, "test": 0.5},
        "epochs": {"run": len(curve), "best": 1},
        "test": {"recall@10": sum(b < 10 for b in better) / count},
        "branch_weight": None,
        **fields,
    }
    (directory / "record.json").write_text(json.dumps(record), encoding="utf-8")
    return directory
