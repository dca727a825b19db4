"""How far each study is, from its files alone: done, begun, failed and why, missing.

No process is asked. A run that trains writes its checkpoint at the end of every epoch, so a directory without a result
whose files are young probably belongs to a run that is under way; ``silent`` says how young.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from research.comparison.find import read_record
from research.errors import UserError
from research.studies.planned import read_plan

ALIVE = 900.0
"""Seconds without a sign after which a run counts as stopped."""


@dataclass(frozen=True)
class One:
    """One run.

    Attributes:
        label: of its arm, or its cell where nothing says a label.
        reason: why it failed.
        silent: seconds since its directory last changed, of a run without a result.
    """

    label: str
    seed: int
    reason: str = ""
    silent: float | None = None


@dataclass(frozen=True)
class Status:
    """A study, or a directory of single runs.

    Attributes:
        asked: runs that its plan asks for; ``None``: there is no plan.
        done: finished ones among them, or all finished ones where there is no plan.
        running: without a result, but with a sign of life within `ALIVE`.
        stopped: without a result and without such a sign.
        failed: with their reasons.
        missing: asked for, and no trace of them.
        waiting: asked for once their arm is tuned.
        others: finished runs that the plan does not ask for, such as those of an earlier version of the study.
    """

    name: str
    directory: Path
    asked: int | None
    done: list[One] = field(default_factory=list)
    running: list[One] = field(default_factory=list)
    stopped: list[One] = field(default_factory=list)
    failed: list[One] = field(default_factory=list)
    missing: list[One] = field(default_factory=list)
    waiting: list[One] = field(default_factory=list)
    others: list[One] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "directory": str(self.directory)}


def statuses(runs: Path, name: str | None = None) -> list[Status]:
    """Every study below ``runs``, or one of them, by name or by its directory.

    Raises:
        UserError: no such study; a record that cannot be read.
    """
    if name is None:
        found = [path for path in sorted(runs.glob("*")) if _is_study(path)] if runs.is_dir() else []
        if not found:
            raise UserError(f"There is no study and no run in {runs}. Start one with `research study NAME`.")
        return [status(directory) for directory in found]
    for directory in (runs / name, Path(name)):
        if _is_study(directory):
            return [status(directory)]
    known = ", ".join(path.name for path in sorted(runs.glob("*")) if _is_study(path)) or "none"
    raise UserError(f"There is no study {name!r} in {runs}. There: {known}.")


def status(directory: Path, *, now: float | None = None) -> Status:
    """How far one study is; ``now`` in seconds since 1970."""
    now = time.time() if now is None else now
    plan = read_plan(directory)
    found = {(path.parent.name, _seed(path)): path for path in directory.glob("*/seed-*") if _seed(path) is not None}
    state = Status(directory.name, directory, None if plan is None else len(plan))
    lists = {"done": state.done, "running": state.running, "stopped": state.stopped, "failed": state.failed}
    asked = {(run["cell"], run["seed"]): run["label"] for run in plan or () if run["cell"]}
    for (cell, seed), path in sorted(found.items()):
        kind, one = _read(path, asked.get((cell, seed), cell), int(seed or 0), now)
        if plan is not None and (cell, seed) not in asked:
            if kind == "done":
                state.others.append(one)
            continue
        lists[kind].append(one)
    for key, label in asked.items():
        if key not in found:
            state.missing.append(One(label, key[1]))
    reasons = _untuned(directory)
    for run in plan or ():
        if run["cell"] is None:
            reason = reasons.get(run["label"])
            (state.waiting if reason is None else state.failed).append(One(run["label"], run["seed"], reason or ""))
    return state


def _is_study(directory: Path) -> bool:
    return directory.is_dir() and ((directory / "study.yaml").is_file() or any(directory.glob("*/seed-*")))


def _seed(path: Path) -> int | None:
    digits = path.name.removeprefix("seed-")
    return int(digits) if digits.isdecimal() and path.is_dir() else None


def _read(path: Path, label: str, seed: int, now: float) -> tuple[str, One]:
    """The list that a run's directory belongs to, and its entry."""
    record = path / "record.json"
    # Hidden ones, such as the lock of a run under way, come and go while we look.
    files = [file for file in path.iterdir() if file != record and not file.name.startswith(".")]
    last = max([path.stat().st_mtime, *(file.stat().st_mtime for file in files)]) if files else path.stat().st_mtime
    if record.is_file():
        said = read_record(path)
        label = str(said.get("label") or label)
        if said.get("status") == "finished":
            return "done", One(label, seed)
        tried_again = any(file.stat().st_mtime > record.stat().st_mtime for file in files)
        if not (tried_again and now - last < ALIVE):
            return "failed", One(label, seed, str(said.get("reason") or "no reason was recorded"))
    silent = max(0.0, now - last)
    return "running" if silent < ALIVE else "stopped", One(label, seed, silent=silent)


def _untuned(directory: Path) -> dict[str, str]:
    """Label -> why its tuning chose nothing."""
    reasons = {}
    for path in sorted((directory / "tuning").glob("*.json")):
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not readable JSON ({error}). Delete it and continue the study.") from error
        if result.get("status") == "failed":
            reasons[str(result.get("label"))] = f"its tuning chose nothing: {result.get('reason')}"
    return reasons
