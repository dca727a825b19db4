"""Where a run happened: versions, machine, code. Part of the record, never of a run's identity."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import research

PACKAGES = ("torch", "lightning", "torchmetrics", "numpy", "polars", "hydra-core", "omegaconf")


def environment() -> dict[str, Any]:
    """Versions of what computes, processor, devices and threads."""
    import torch

    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def processor() -> str:
    """Its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def code() -> dict[str, Any]:
    """Version of this package and, in a checkout, its commit and whether files differ from it.

    As they were when this process first asked: it goes on with what it loaded, whatever is committed meanwhile. A
    worker asks when it starts.
    """
    return dict(_code())


@cache
def _code() -> dict[str, Any]:
    root = Path(research.__file__).parent.parent

    def git(*words: str) -> str | None:
        try:
            result = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    commit = git("rev-parse", "HEAD") if (root / ".git").exists() else None
    changed = bool(git("status", "--porcelain", "--", "research", "configs")) if commit else None
    return {"version": research.__version__, "commit": commit, "changed": changed}


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
