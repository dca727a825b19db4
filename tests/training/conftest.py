"""Small runs on simulated data, seconds each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig

from research.config import compose

SMALL = [
    "data=simulated",
    "data.n_users=60",
    "data.n_items=40",
    "data.mean_length=12",
    "width=8",
    "max_length=12",
    "batch_size=16",
    "trainer.max_epochs=3",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small(tmp_path: Path, cache: Path) -> Callable[..., DictConfig]:
    """Compose a small run; its records go to ``tmp_path / where``."""

    def make(*overrides: str, where: str = "runs") -> DictConfig:
        return compose([*SMALL, f"paths.runs={tmp_path / where}", f"paths.cache={cache}", *overrides])

    return make
