"""What a run would meet on this machine: versions, hardware, directories, secrets (whether, never which)."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("torch", "lightning", "torchmetrics", "numpy", "scipy", "polars", "pyarrow", "hydra-core", "omegaconf"),
    *("transformers", "datasets", "wandb", "optuna", "ray", "submitit"),
)
"""Optional ones too; what is not installed says so."""

FLAGS = {
    "AVX2": "avx2",
    "AVX512": "avx512f",
    "AVX512 bf16": "avx512_bf16",
    "AMX": "amx_tile",
    "AMX bf16": "amx_bf16",
}

SECRETS = ("WANDB_API_KEY", "HF_TOKEN")


def versions() -> dict[str, str]:
    """Python, this package and what it computes with."""
    import research

    return {"python": platform.python_version(), "research": research.__version__} | {
        name: _version(name) for name in PACKAGES
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def hardware() -> dict[str, Any]:
    """Processor, cores of the machine and of this process, memory in bytes, instruction sets, GPUs."""
    import torch

    from research.training.environment import processor

    memory = _meminfo()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    flags = _flags()
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_usable": usable,
        "threads": torch.get_num_threads(),
        "memory_bytes": memory.get("MemTotal"),
        "memory_free_bytes": memory.get("MemAvailable"),
        "instructions": [name for name, flag in FLAGS.items() if flag in flags],
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "mps": torch.backends.mps.is_available(),
    }


def _meminfo() -> dict[str, int]:
    """Bytes by name; empty where the system does not say."""
    path = Path("/proc/meminfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}


def _flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return set(next((line.partition(":")[2] for line in lines if line.startswith(("flags", "Features"))), "").split())


def place(path: Path, *, measured: bool = True) -> dict[str, Any]:
    """A directory: what lies in it, whether it can be written to, how much room its disk has.

    Args:
        path: need not exist; its nearest parent then answers.
        measured: add up its files.
    """
    there = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    files = [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()] if measured else []
    return {
        "path": str(path),
        "exists": path.is_dir(),
        "writable": there.is_dir() and os.access(there, os.W_OK),
        "bytes": sum(file.stat().st_size for file in files) if measured else None,
        "free_bytes": shutil.disk_usage(there).free,
    }


def secrets() -> dict[str, str]:
    """Whether each is set. A value is never read into the answer."""
    netrc = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    said = {name: "set" if os.environ.get(name) else "not set" for name in SECRETS}
    return {**said, "netrc": "present" if netrc.is_file() else "absent"}
