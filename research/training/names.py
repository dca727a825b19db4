"""What a run is called: a label for people, a cell for the disk."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from research.config import canonical


def part(node: Any) -> str:
    """The name of a component: the file that its class lives in."""
    return node["_target_"].split(".")[-2]


def label(config: DictConfig) -> str:
    """Such as ``transformer + gru, last_k, gated``; one branch alone is named alone."""
    kept = canonical(config)
    if "baseline" in kept:
        return part(kept["baseline"])
    names = [part(kept[view]) for view in ("long", "short") if view in kept]
    rest = [part(kept[key]) for key in ("window", "fusion") if key in kept]
    return ", ".join([" + ".join(names), *rest])


def cell(config: DictConfig) -> str:
    """One point of a grid, whatever the seed: readable, and unique by a hash of what decides its numbers."""
    kept = canonical(config)
    kept.pop("seed", None)
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:10]
    return f"{re.sub(r'[^a-z0-9]+', '-', label(config).lower())}-{digest}"


def run_directory(config: DictConfig, study: str) -> Path:
    """``<runs>/<study>/<cell>/seed-<n>``."""
    return Path(config.paths.runs) / study / cell(config) / f"seed-{config.seed}"
