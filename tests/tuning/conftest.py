"""A small arm to tune, and trials without training: their outcome is a function of the values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from research.tuning import tune as tune_module
from research.tuning.arm import Tuning
from research.tuning.budget import Budget
from research.tuning.space import Choice, Range
from research.tuning.trial import Tried

SMALL = (
    "data=simulated",
    "data.n_users=40",
    "data.n_items=30",
    "data.mean_length=10",
    "width=8",
    "max_length=10",
    "batch_size=16",
    "trainer.max_epochs=4",
    "trainer.threads=1",
    "trainer.accelerator=cpu",
)
SPACE = {"optimizer.lr": Range(0.001, 0.1, log=True), "dropout": Choice((0.1, 0.2, 0.5))}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def arm(tmp_path: Path, cache: Path) -> Callable[..., Tuning]:
    """``arm("fusion=sum", trials=4, space=..., where="a")``: a tuning of small simulated data."""

    def make(*words: str, space: Any = SPACE, where: str = "runs", **budget: Any) -> Tuning:
        paths = (f"paths.runs={tmp_path / where}", f"paths.cache={cache}")
        asked = replace(Budget(trials=4, sampler="random", seed=7), **budget)
        return Tuning((*SMALL, *paths, *words), space, asked, tmp_path / where / "tuning", {"arm": "mine"}, "mine")

    return make


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[DictConfig]]:
    """Replace training by a curve: ``pretend(lambda config: [0.1, 0.2])``; returns the configurations that ran."""

    def install(curve_of: Callable[[DictConfig], list[float]]) -> list[DictConfig]:
        ran: list[DictConfig] = []

        def try_out(config, watch, *, report=None, announce=None):
            def run() -> Tried:
                ran.append(config)
                curve: list[float] = []
                for epoch, value in enumerate(curve_of(config), start=1):
                    curve.append(value)
                    if watch(epoch, value):
                        break
                best = max(curve, default=None)
                return Tried(best, len(curve), curve.index(best) + 1 if best is not None else 0, 1.5)

            return run

        monkeypatch.setattr(tune_module, "try_out", try_out)
        return ran

    return install
