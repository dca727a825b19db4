"""What a command imports before it trains, seen from a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROBE = """
import sys
from research.training.lean_imports import import_lightning
{before}
import_lightning()
from research.metrics.mean import MeanMetric
import lightning, torch
metric = MeanMetric("ndcg@10")
metric.update(torch.tensor([0, 1]), torch.tensor([0, 0]))
print(float(metric.compute()), "transformers" in sys.modules, "scipy" in sys.modules, "matplotlib" in sys.modules)
from lightning_utilities.core.imports import RequirementCache
import scipy.stats
print(bool(RequirementCache("scipy>=1.8.0")))
"""


def run(before: str = "") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE.format(before=before)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_lightning_and_metrics_work_without_the_packages_that_torchmetrics_would_bring() -> None:
    value, *brought, found = run()
    assert float(value) == pytest.approx((1 + 0.6309297535714575) / 2)
    assert brought == ["False"] * 3
    assert found == "True", "afterwards a package is found as ever"


def test_what_is_already_imported_stays() -> None:
    value, *brought, found = run("import torchmetrics, transformers")
    assert float(value) == pytest.approx((1 + 0.6309297535714575) / 2)
    assert brought[0] == "True" and found == "True"
