"""A study: a question, the axes that vary, the seeds, and the arm that the others are compared with.

question: Does a gate beat a plain sum?
set: [data=ml-100k, window.k=5]          # overrides of every arm
axes: {fusion: [sum, gated]}             # any configuration key; the grid is their product
baselines: [popularity, ease]            # rows without training
seeds: [1, 2, 3]
metrics: [recall@10, ndcg@10]
baseline: {fusion: sum}
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig

from research.config import canonical, compose, config_directory, options
from research.errors import UserError
from research.metrics.ranking import parse
from research.reports.records import plain
from research.training.compatible import check_compatible
from research.training.names import cell, label


@dataclass(frozen=True)
class Study:
    """What a study file says, checked."""

    name: str
    question: str
    axes: dict[str, list[Any]]
    seeds: list[int]
    set: list[str] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=lambda: ["recall@10", "ndcg@10", "mrr@10"])
    baseline: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """One run of a study: a cell with a seed."""

    config: DictConfig
    overrides: list[str]
    arm: dict[str, str]
    label: str


def read_study_file(name: str) -> Study:
    """Read ``configs/study/<name>.yaml``, or a file by its path.

    Raises:
        UserError: no such study, or a key that a study does not have, or one that is missing or malformed.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else config_directory() / "study" / f"{name}.yaml"
    if not path.is_file():
        known = options("study")
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UserError(f"There is no study {name!r}. Known: {', '.join(known)}, or give the path of a file.{hint}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: a study is a mapping with the keys question, axes and seeds.")
    known = [f.name for f in fields(Study) if f.name != "name"]
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UserError(f"{path}: a study has no key {key!r}. Known: {', '.join(known)}.{hint}")
    kinds = {
        "question": str,
        "axes": dict,
        "seeds": list,
        "set": list,
        "baselines": list,
        "metrics": list,
        "baseline": dict,
    }
    for key, kind in kinds.items():
        if key in ("question", "axes", "seeds") and key not in content:
            raise UserError(f"{path}: a study needs {key!r}.")
        if key in content and not isinstance(content[key], kind):
            raise UserError(f"{path}: {key!r} should be a {kind.__name__}.")
    study = Study(name=path.stem, **content)
    for metric in study.metrics:
        parse(metric)
    if not all(isinstance(s, int) and not isinstance(s, bool) and s >= 0 for s in study.seeds) or not study.seeds:
        raise UserError(f"{path}: 'seeds' should be a list of whole numbers, such as [1, 2, 3].")
    if bad := [key for key, values in study.axes.items() if not isinstance(values, list) or not values]:
        raise UserError(f"{path}: axis {bad[0]!r} should be a list of values.")
    if bad := [key for key in study.baseline if key not in study.axes]:
        raise UserError(f"{path}: 'baseline' names {bad[0]!r}, which is not an axis. Axes: {', '.join(study.axes)}.")
    return study


def plan(study: Study, overrides: list[str]) -> list[Planned]:
    """All runs of a study, seeds outermost, so that a table can be read after the first seed.

    Arms that are the same run under two names (a control that ignores an axis) appear once.

    Args:
        study: what to run.
        overrides: further overrides of every run, such as ``paths.runs=...``.

    Raises:
        UserError: an arm does not compose or makes no sense.
    """
    arms = [dict(zip(study.axes, values, strict=True)) for values in product(*study.axes.values())]
    # Baselines are deterministic: the first seed stands for all.
    bases: list[tuple[list[str], dict[str, str], list[int]]] = [
        ([f"baseline={name}"], {}, study.seeds[:1]) for name in study.baselines
    ]
    for arm in arms:
        named = {key: plain(value) for key, value in arm.items()}
        bases.append(([f"{key}={plain(value)}" for key, value in arm.items()], named, study.seeds))
    composed = []
    seen: set[str] = set()
    for own, arm, seeds in bases:
        words = [*study.set, *own, *overrides]
        config = compose([*words, f"seed={seeds[0]}"])
        check_compatible(config)
        if config.trainer.devices > 1:
            raise UserError(
                f"trainer.devices={config.trainer.devices}: the runs of a study use one device each, several at one "
                "time. Train a run on several devices with research train."
            )
        if cell(config) not in seen:
            seen.add(cell(config))
            composed.append((words, _read_axes(arm, config), seeds, config))
    runs = []
    for seed in study.seeds:
        for words, arm, seeds, first in composed:
            if seed in seeds:
                config = first if seed == seeds[0] else compose([*words, f"seed={seed}"])
                name = ", ".join(arm.values()) or label(config)
                runs.append(Planned(config, [*words, f"seed={seed}"], arm, name))
    return runs


def _read_axes(arm: dict[str, str], config: DictConfig) -> dict[str, str]:
    """The axes that decide an arm's numbers: a control without a short branch has no short encoder to name."""
    unread = {"long", "short", "window"} - set(canonical(config))
    return {key: value for key, value in arm.items() if key.split("@")[-1].split(".")[0] not in unread}
