"""The record of a run: all that is left of it, in one directory, written whole or not at all.

config.yaml            the resolved configuration
record.json            what it was, where it ran, what came out; its presence means that the run ended
ranks.parquet          one row a test user: the source of every table
curves.parquet         one row an epoch
weights.safetensors    the weights of the best epoch
last.ckpt              only while the run is unfinished: where it continues
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig, OmegaConf

from research.data.atomic import write_whole
from research.errors import UserError
from research.evaluation.table import Ranks


def open_directory(directory: Path) -> None:
    """Make a run's directory and see that it can be written to, before anything is computed.

    Raises:
        UserError: it cannot.
    """
    probe = directory / f".writable-{os.getpid()}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"Cannot write records to {directory}: {error.strerror}. Choose another place with paths.runs=DIRECTORY."
        ) from error


def read_finished(directory: Path, identity: str) -> dict[str, Any] | None:
    """The record of a run that is already there, if it finished and is the same run.

    Raises:
        UserError: the file is damaged, or the directory holds another run.
    """
    path = directory / "record.json"
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}). Delete the directory to run it again.") from error
    if record.get("identity") != identity:
        raise UserError(f"{directory} holds the record of another run. Choose another paths.runs, or delete it.")
    return record if record.get("status") == "finished" else None


def write_config(directory: Path, config: DictConfig) -> None:
    """Store the resolved configuration."""
    write_whole(directory / "config.yaml", OmegaConf.to_yaml(config).encode())


def write_table(path: Path, table: pa.Table) -> None:
    """Store a table as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_whole(path, sink.getvalue().to_pybytes())


def write_finished(directory: Path, record: dict[str, Any], ranks: Ranks, curves: list[dict[str, Any]]) -> None:
    """Store the results; ``record.json`` comes last, so that it vouches for the others."""
    write_table(directory / "ranks.parquet", ranks.to_arrow())
    if curves:
        write_table(directory / "curves.parquet", pa.Table.from_pylist(curves))
    write_record(directory, record)


def write_record(directory: Path, record: dict[str, Any]) -> None:
    """Store ``record.json``."""
    write_whole(directory / "record.json", (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
