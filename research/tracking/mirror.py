"""Rebuild a run in W&B from its record: configuration, curves, final numbers, tags, group.

A run's id follows from its identity, and every epoch is logged at a step of its own, which W&B takes once. So a run
that is sent twice is there once. A note beside the record remembers what was sent, so that nothing is sent again in
vain.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research.comparison.find import find, read_record
from research.data.atomic import write_whole
from research.errors import UserError
from research.tracking.names import run_id, summary, tags

if TYPE_CHECKING:
    from research.training.loggers import Wandb

CURVES = {
    "train_loss": "train/loss",
    "val_ndcg@10": "val/ndcg@10",
    "seconds": "seconds/train",
    "seconds_validation": "seconds/validation",
}
"""Columns of ``curves.parquet`` and what they are called there; the first two as Lightning logs them."""


def runs_of(name: str, runs: Path) -> tuple[list[Path], Path | None]:
    """Finished runs that ``name`` means, and the study's directory where it means a whole study.

    Raises:
        UserError: nothing that has finished is there.
    """
    for place in (Path(name), runs / name):
        if (place / "study.yaml").is_file():
            paths = sorted(place.glob("*/seed-*/record.json"))
            done = [path.parent for path in paths if read_record(path.parent).get("status") == "finished"]
            if not done:
                raise UserError(f"No run of the study in {place} has finished. Run `research study {place.name}`.")
            return done, place
    return find(name, runs), None


def mirror(tracker: Wandb, directory: Path, *, again: bool = False) -> bool:
    """Send one finished run.

    Args:
        tracker: where to.
        directory: of the run.
        again: also when the note says that this very record was sent there.

    Returns:
        Whether anything was sent.
    """
    import wandb

    record = read_record(directory)
    note, said = directory / "wandb" / "sent.json", _said(tracker, directory, record)
    if not again and note.is_file() and json.loads(note.read_text()) == said:
        return False
    steps = curves(directory)
    weights = _weights(directory)
    with wandb.init(
        project=tracker.project,
        entity=tracker.entity,
        dir=str(directory),
        mode="offline" if tracker.offline else "online",
        id=said["id"],
        resume="allow",
        name=f"{record['label']} seed {record['seed']}",
        group=record["study"],
        job_type=record["cell"],
        config={key: value for key, value in record["config"].items() if key != "paths"},
        tags=tags(record),
    ) as run:
        for step in steps:
            run.log(step, step=int(step["epoch"]))
        if weights:
            run.log({"test/weight_long": wandb.Histogram(weights)}, step=len(steps) + 1)
        run.summary.update(summary(record))
    write_whole(note, (json.dumps(said, indent=1, sort_keys=True) + "\n").encode())
    return True


def _said(tracker: Wandb, directory: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": run_id(record["study"], record["identity"], record["seed"]),
        "record": hashlib.sha256((directory / "record.json").read_bytes()).hexdigest(),
        "project": tracker.project,
        "entity": tracker.entity,
        "mode": "offline" if tracker.offline else "online",
    }


def curves(directory: Path) -> list[dict[str, float]]:
    """One mapping an epoch, without what an epoch does not have; empty for a baseline."""
    import pyarrow.parquet as parquet

    path = directory / "curves.parquet"
    if not path.is_file():
        return []
    rows = parquet.read_table(path).to_pylist()
    return [
        {"epoch": row["epoch"]} | {CURVES[key]: row[key] for key in CURVES if row.get(key) is not None} for row in rows
    ]


def _weights(directory: Path) -> list[float]:
    """Weights of the long branch, empty where one is missing."""
    import pyarrow.parquet as parquet

    path = directory / "ranks.parquet"
    names = parquet.read_schema(path).names if path.is_file() else []
    if "weight_long" not in names:
        return []
    weights = parquet.read_table(path, columns=["weight_long"])["weight_long"].to_pylist()
    return [] if any(weight is None or math.isnan(weight) for weight in weights) else weights
