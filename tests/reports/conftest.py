"""Builds small study directories whose numbers can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import yaml


class StudyDirectory:
    """A study below ``root``; every argument left out has a harmless value."""

    def __init__(self, root: Path, **study: Any) -> None:
        self.path = root / "runs" / study.get("name", "tiny")
        self.path.mkdir(parents=True)
        content = {
            "name": "tiny",
            "question": "Does fusion help?",
            "axes": {"fusion": ["gated", "long_only"]},
            "seeds": [1, 2],
            "metrics": ["recall@10", "ndcg@10"],
            "baseline": {"fusion": "long_only"},
            **study,
        }
        (self.path / "study.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def run(
        self,
        fusion: str,
        seed: int,
        better: Sequence[int],
        *,
        users: Sequence[int] | None = None,
        ties: Sequence[int] | None = None,
        lengths: Sequence[int] | None = None,
        weights: Sequence[float] | None = None,
        gaps: Sequence[float | None] | None = None,
        curve: Sequence[float] | None = None,
        kind: str = "model",
        label: str | None = None,
        cell: str | None = None,
        **fields: Any,
    ) -> Path:
        """A finished run. The record states recall@10 by a plain loop unless there are ties."""
        count = len(better)
        cell = cell or fusion
        directory = self._directory(cell, seed)
        ranks = {
            "user": pa.array(users or range(count), pa.int32()),
            "target": pa.array([1] * count, pa.int32()),
            "better": pa.array(better, pa.int32()),
            "ties": pa.array(ties or [0] * count, pa.int32()),
            "candidates": pa.array([100] * count, pa.int32()),
            "history_length": pa.array(lengths or [7] * count, pa.int32()),
            "weight_long": pa.array(weights or [None] * count, pa.float32()),
            "weight_short": pa.array([1 - w for w in weights] if weights else [None] * count, pa.float32()),
        }
        if gaps is not None:
            ranks["gap"] = pa.array(gaps, pa.float64())
        parquet.write_table(pa.table(ranks), directory / "ranks.parquet")
        if curve is not None:
            epochs = range(1, len(curve) + 1)
            curves = {
                "epoch": epochs,
                "train_loss": [1.0 / e for e in epochs],
                "val_ndcg@10": curve,
                "seconds": [2.0 * e for e in epochs],
            }
            parquet.write_table(
                pa.table({k: pa.array(list(v)) for k, v in curves.items()}), directory / "curves.parquet"
            )
        record = {
            **self._head("finished", cell, label or f"transformer + gru | {fusion}", fusion, kind, seed),
            "data": {
                "name": "toy",
                "digest": "d" * 64,
                "audit": {"users": count, "history_length": {"min": 3}},
            },
            "protocol": {
                "split": "leave-one-out",
                "ranking": "full catalogue",
                "seen": "filtered",
                "ties": "expected",
            },
            "parameters": 1200,
            "seconds": {"train": 10.0 * seed, "test": 1.0},
            "epochs": {"run": 9, "best": 4 + seed},
            "validation": {"ndcg@10": 0.5},
            "test": {} if ties else {"recall@10": sum(b < 10 for b in better) / count, "unknown": 3.0},
            "branch_weight": None,
            "code": {"version": "0.1.0", "commit": "c" * 40},
            "environment": {"python": "3.11"},
            **fields,
        }
        (directory / "record.json").write_text(json.dumps(record), encoding="utf-8")
        return directory

    def fail(self, fusion: str, seed: int, reason: str, label: str | None = None) -> Path:
        directory = self._directory(fusion, seed)
        head = self._head("failed", fusion, label or f"transformer + gru | {fusion}", fusion, "model", seed)
        (directory / "record.json").write_text(json.dumps({**head, "reason": reason}), encoding="utf-8")
        return directory

    def _directory(self, cell: str, seed: int) -> Path:
        directory = self.path / cell / f"seed-{seed}"
        directory.mkdir(parents=True)
        return directory

    @staticmethod
    def _head(status: str, cell: str, label: str, fusion: str, kind: str, seed: int) -> dict[str, Any]:
        return {
            "schema": 1,
            "status": status,
            "study": "tiny",
            "cell": cell,
            "label": label,
            "arm": {"fusion": fusion} if kind == "model" else {},
            "kind": kind,
            "seed": seed,
            "identity": f"{cell}-{seed}",
            "from_a_later_version": [1, 2],
        }


@pytest.fixture
def make_study(tmp_path: Path) -> Callable[..., StudyDirectory]:
    def make(**study: Any) -> StudyDirectory:
        return StudyDirectory(tmp_path, **study)

    return make


def small_study(root: Path) -> StudyDirectory:
    """Two arms, two seeds, one untrained row, four users. Recall@10 by hand:

    gated: 3/4 and 4/4 -> .875 ± .1768; long_only: 2/4 and 2/4 -> .5 ± 0; popularity 1/4.
    NDCG@10 by hand (1 at place 1, 1/log2(3) at 2, 1/2 at 3, 0 beyond 10):
    gated: (1 + 1 + .5 + 0)/4 = .625 and (1 + 1 + .5 + .5)/4 = .75; long_only: (1 + .5)/4 = .375 twice;
    popularity: 1/log2(3)/4 = .1577.
    """
    study = StudyDirectory(root)
    lengths = [3, 5, 6, 60]
    study.run("gated", 1, [0, 0, 2, 50], lengths=lengths, weights=[0.2, 0.4, 0.6, 0.8], curve=[0.1, 0.3, 0.2])
    study.run("gated", 2, [0, 0, 2, 2], lengths=lengths, weights=[0.1, 0.3, 0.5, 0.7], curve=[0.2, 0.3])
    study.run("long_only", 1, [0, 2, 10, 50], lengths=lengths, curve=[0.1, 0.2])
    study.run("long_only", 2, [0, 2, 10, 50], lengths=lengths, curve=[0.1, 0.2])
    study.run("", 0, [1, 20, 30, 40], lengths=lengths, kind="baseline", label="popularity", cell="popularity")
    return study


@pytest.fixture
def small(tmp_path: Path) -> StudyDirectory:
    return small_study(tmp_path)


@pytest.fixture(scope="module")
def page_study(tmp_path_factory: pytest.TempPathFactory) -> StudyDirectory:
    """The small study with a failed run, shared by the tests that only read its page."""
    study = small_study(tmp_path_factory.mktemp("page"))
    study.fail("gated", 3, "the loss became NaN")
    return study
