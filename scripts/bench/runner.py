"""Runs jobs, each in a process of its own, those of a group in turn; every finished one is a file and is not repeated.

A file is used again only if it came from the same inputs: the code that it measures, the data, the machine's threads
and the length of its windows. The framework and the reference share theirs, so that a change of either measures both
anew, side by side; and of a group all are measured anew, or none.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
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
from scripts.bench.plan import OURS, Group, Job
from scripts.bench.turns import Said, in_turn

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
            return [sys.executable, "-m", "scripts.bench.reference", path, *model, *epochs]
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
            files += [HERE / name for name in ("ours.py", "reference.py", "startup.py", "turns.py")]
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

    def measure(self, group: Group, number: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Run the jobs of a group in turn and store what each says, and how much of the machine others used meanwhile.

        Returns:
            The measurements, and the reason of every one that failed by the job's name.
        """
        inputs, others = [self.inputs(job) for job in group], Others()  # now: a file may be edited while it runs
        started = datetime.now(UTC).isoformat(timespec="seconds")
        ended = in_turn([(self.command(job), self.environment(job)) for job in group], ROOT)
        share = others.share()
        measurements, failed = [], {}
        for job, digest, said in zip(group, inputs, ended, strict=True):
            try:
                result = result_of(job, said)
            except MeasurementError as error:
                failed[job.name] = str(error)
                continue
            facts = {"job": asdict(job), "round": number, "inputs": digest, "started": started}
            measurements.append({**facts, "others": share, "result": result})
            self.store.mkdir(parents=True, exist_ok=True)
            write_whole(self.path(job, number), (json.dumps(measurements[-1], indent=1) + "\n").encode())
        return measurements, failed


def result_of(job: Job, said: Said) -> dict[str, Any]:
    """What the last line of a process says.

    Raises:
        MeasurementError: it failed, or said nothing that can be read.
    """
    lines = said.out.strip().splitlines()
    if said.code or not lines:
        last = (said.err.strip() or said.out.strip()).splitlines() or ["nothing"]
        raise MeasurementError(f"{job.name} ended with code {said.code}: {last[-1]}")
    try:
        return json.loads(lines[-1])
    except ValueError as error:
        raise MeasurementError(f"{job.name} said {lines[-1][:200]!r} instead of its result") from error


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
    bench: Bench, order: Iterable[tuple[Group, int]], tell: Callable[[str], None]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Do what is missing.

    Args:
        bench: how.
        order: groups of jobs with their rounds.
        tell: shows a line of text.

    Returns:
        The measurements, and the reason of every one that failed by the job's name.
    """
    measurements: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for group, number in order:
        found = [done for job in group if (done := bench.finished(job, number))]
        if len(found) < len(group):
            tell(f"round {number + 1}: {', '.join(job.name for job in group)}")
            found, reasons = bench.measure(group, number)
            failed |= reasons
            for reason in reasons.values():
                tell(reason)
        measurements += found
    return measurements, failed


@cache
def _processor() -> str:
    from research.training.environment import environment

    return str(environment()["processor"])
