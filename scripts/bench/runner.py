"""Runs jobs one after the other, each in a process of its own; every finished one is a file and is not repeated.

A file is used again only if it came from the same inputs: the code that it measures, the data, the machine's threads
and the length of its windows. The framework and the reference share theirs, so that a change of either measures both
anew, side by side.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from research.data.atomic import write_whole
from scripts.bench.datasets import DATASETS, ROOT, Arrays
from scripts.bench.environments import PEERS, TORCH
from scripts.bench.plan import OURS, Job

HERE = Path(__file__).parent
SCRIPTS = {"rectools": "measure_rectools.py", "replay-rec": "measure_replay.py", "recbole": "measure_recbole.py"}
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "20000000000"}


class MeasurementError(Exception):
    """A measurement that did not come to its end; the message is what it said last."""


@dataclass(frozen=True)
class Bench:
    """Everything that the commands of the jobs need.

    Attributes:
        store: directory of the finished measurements.
        arrays: the data by its name.
        pythons: a peer's interpreter by its name.
        threads: of every process.
        warmup_s: of a peer's window.
        window_s: of a peer's window.
    """

    store: Path
    arrays: dict[str, Arrays]
    pythons: dict[str, Path]
    threads: int
    warmup_s: float = 15.0
    window_s: float = 60.0
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def command(self, job: Job) -> list[str]:
        """The words of the process that measures."""
        if job.side == "peaks":
            return [sys.executable, "-m", "scripts.bench.peaks"]
        dataset = DATASETS[job.data or "beauty"]
        length, epochs = ["--max-length", str(dataset.max_length)], ["--epochs", str(dataset.epochs)]
        if job.side == "startup":
            return [sys.executable, "-m", "scripts.bench.startup", dataset.source, *length]
        model = ["--model", job.model, *length]
        if job.side == "framework":
            ours = [sys.executable, "-m", "scripts.bench.ours", dataset.source]
            return [*ours, *model, *epochs]
        path = str(self.arrays[job.data].path)
        if job.side == "reference":
            return [sys.executable, str(HERE / "reference.py"), path, *model, *epochs]
        window = ["--warmup", str(self.warmup_s), "--window", str(self.window_s)]
        return [str(self.pythons[job.side]), str(HERE / "peers" / SCRIPTS[job.side]), path, *model, *window]

    def environment(self, job: Job) -> dict[str, str]:
        """The variables of that process: ours, without what would lead a peer's Python astray."""
        kept = {k: v for k, v in self.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", *MALLOC)}
        return {**kept, "OMP_NUM_THREADS": str(self.threads), **(MALLOC if job.malloc else {})}

    def inputs(self, job: Job) -> str:
        """A hash of what decides the numbers of a job."""
        facts: dict[str, Any] = {"threads": self.threads, "python": sys.version, "cpu": _processor()}
        if job.side in (*OURS, "startup"):
            files = [*ROOT.glob("research/**/*.py"), *ROOT.glob("configs/**/*.yaml")]
            files += [HERE / name for name in ("ours.py", "reference.py", "startup.py")]
            facts["epochs"] = DATASETS[job.data or "beauty"].epochs
        elif job.side == "peaks":
            files = [HERE / "peaks.py"]
        else:
            files = [*(HERE / "peers").glob("*.py")]
            facts |= {"window": [self.warmup_s, self.window_s], "requirements": [TORCH, *PEERS[job.side].requirements]}
        if job.data:
            facts["data"] = self.arrays[job.data].digest
        facts["files"] = {str(f.relative_to(ROOT)): hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(files)}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def path(self, job: Job, number: int) -> Path:
        """Where a measurement lies."""
        return self.store / f"{job.name}-{number}.json"

    def finished(self, job: Job, number: int) -> dict[str, Any] | None:
        """The measurement, if it is there and its inputs are still the same."""
        try:
            found = json.loads(self.path(job, number).read_text())
        except (OSError, ValueError):
            return None
        return found if found.get("inputs") == self.inputs(job) else None

    def measure(self, job: Job, number: int) -> dict[str, Any]:
        """Run a job and store what it says, and how much of the machine others used meanwhile.

        Raises:
            MeasurementError: the process failed, or said nothing that can be read.
        """
        inputs, others = self.inputs(job), Others()  # now: a file may be edited while it runs
        started = datetime.now(UTC).isoformat(timespec="seconds")
        done = subprocess.run(
            self.command(job), env=self.environment(job), cwd=ROOT, capture_output=True, text=True, check=False
        )
        share = others.share()
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["nothing"]
            raise MeasurementError(f"{job.name} ended with code {done.returncode}: {said[-1]}")
        try:
            result = json.loads(lines[-1])
        except ValueError as error:
            raise MeasurementError(f"{job.name} said {lines[-1][:200]!r} instead of its result") from error
        facts = {"job": asdict(job), "round": number, "inputs": inputs, "started": started}
        measurement = {**facts, "others": share, "result": result}
        self.store.mkdir(parents=True, exist_ok=True)
        write_whole(self.path(job, number), (json.dumps(measurement, indent=1) + "\n").encode())
        return measurement


class Others:
    """What share of the processors' time went to anything but our finished children since it was made."""

    def __init__(self) -> None:
        self.before = self._now()

    def share(self) -> float | None:
        """From 0 to 1; ``None`` where the system does not tell (it does on Linux)."""
        now = self._now()
        if self.before is None or now is None:
            return None
        all_, busy, ours = (after - before for after, before in zip(now, self.before, strict=True))
        return max(0.0, busy - ours) / max(all_, 1e-9)

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """Seconds of all processors together: that passed, that were used or stolen, that our children used."""
        stat = Path("/proc/stat")
        if not stat.exists():
            return None
        ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in stat.read_text().split("\n", 1)[0].split()[1:9]]
        idle = ticks[3] + ticks[4]  # idle, and waiting for a disk
        ours = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(ticks), sum(ticks) - idle, ours.ru_utime + ours.ru_stime


def run(
    bench: Bench, order: Iterable[tuple[Job, int]], tell: Callable[[str], None]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Do what is missing.

    Args:
        bench: how.
        order: jobs with their rounds.
        tell: shows a line of text.

    Returns:
        The measurements, and the reason of every one that failed by the job's name.
    """
    measurements, failed = [], {}
    for job, number in order:
        if found := bench.finished(job, number):
            measurements.append(found)
            continue
        tell(f"round {number + 1}: {job.name}")
        try:
            measurements.append(bench.measure(job, number))
        except MeasurementError as error:
            failed[job.name] = str(error)
            tell(str(error))
    return measurements, failed


@cache
def _processor() -> str:
    from research.training.environment import environment

    return str(environment()["processor"])
