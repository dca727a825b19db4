"""Runs of a study as jobs of a SLURM cluster, one array of jobs, by submitit.

The command that queues them only listens. Stopped and started again, it finds the jobs that it queued by its notes
(``<key>.json`` beside the jobs' logs) and listens to them; what is not queued, or ended without a result, is queued.
A job that is pre-empted or out of time goes back into the queue by itself (``job.py``), whether anybody listens or not.

``engine: local`` starts the same jobs as processes of this machine, to try a configuration where there is no SLURM.

submitit: https://github.com/facebookincubator/submitit.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from research.data.atomic import write_whole
from research.errors import UserError
from research.studies.executors.base import Executor
from research.studies.executors.job import Job
from research.studies.executors.local import side_by_side
from research.studies.executors.said import Listener
from research.studies.executors.surroundings import Surroundings
from research.studies.worker import Message, Order, TuneOrder
from research.training.record import open_directory

if TYPE_CHECKING:
    import submitit

PAUSE = {"slurm": 2.0, "local": 0.2}
"""Seconds between two looks at what the jobs said."""
PATIENCE = {"slurm": 30.0, "local": 0.0}
"""Seconds that a file system may take to show what a job wrote, when the queue shows already that it is over."""


def need_submitit() -> None:
    """See that submitit is there, and keep it quiet.

    Raises:
        UserError: it is not installed.
    """
    try:
        import submitit  # noqa: F401
    except ModuleNotFoundError as error:
        message = "executor=slurm needs submitit, which is an extra: pip install 'interest-fusion[slurm]'"
        raise UserError(message) from error
    logging.getLogger("submitit").setLevel(logging.ERROR)


@dataclass
class _Queued:
    """An order and its job.

    Attributes:
        alive: whether it was queued by this command, or seen in the queue since. One that an earlier command queued
            may have ended while nobody listened, and SLURM may need more than one question to say so.
        over: when the job was first seen to be over although it had not said how, in seconds of a clock.
    """

    order: Order | TuneOrder
    job: submitit.Job[Any]
    listener: Listener
    alive: bool = True
    over: float | None = None


class Slurm(Executor):
    """Jobs of a queue. They go on when the caller breaks off, except with ``engine: local``."""

    def __init__(
        self,
        *,
        engine: Literal["slurm", "local"] = "slurm",
        folder: str | None = None,
        partition: str | None = None,
        account: str | None = None,
        cpus: int | None = None,
        gpus: int = 0,
        memory_gb: float | None = None,
        minutes: int = 720,
        timeouts: int = 3,
        parallel: int | None = None,
        options: list[str] | None = None,
    ) -> None:
        """Say what a job asks for.

        Args:
            engine: ``local`` does without SLURM, on this machine.
            folder: of jobs and logs, on the shared file system; ``None`` is ``jobs`` in the study's directory.
            partition: of the cluster; ``None`` is its default.
            account: that is charged; ``None`` is the user's default.
            cpus: of a run; ``None`` is its threads, or one.
            gpus: of a run.
            memory_gb: of a run; ``None`` is the partition's default.
            minutes: that a job may take; then it goes back into the queue.
            timeouts: times that it may do so for lack of time; pre-emption does not count.
            parallel: jobs at one time; ``None`` is as many as the cluster gives, or as this machine carries.
            options: further options of sbatch, such as ``constraint:a100``; the words of a command
                have no second ``=``.

        Raises:
            UserError: submitit is not installed, there is no SLURM here, or a value makes no sense.
        """
        numbers = {"cpus": (cpus, 1), "gpus": (gpus, 0), "minutes": (minutes, 1), "timeouts": (timeouts, 0)}
        for name, (value, least) in {**numbers, "parallel": (parallel, 1)}.items():
            if value is not None and value < least:
                raise UserError(f"executor.{name}={value}: at least {least}.")
        further = dict(re.match("([^:=]*)[:=]?(.*)", option).groups() for option in options or [])  # type: ignore[union-attr]
        if wrong := [name for name, value in further.items() if not (name and value)]:
            raise UserError(f"executor.options: {wrong[0]!r} should be NAME:VALUE, as of sbatch without the dashes.")
        need_submitit()
        import submitit

        if engine == "slurm" and submitit.SlurmExecutor.affinity() < 0:
            raise UserError(
                "executor=slurm: there is no SLURM on this machine (no srun). Start the study on a login node of the "
                "cluster, or say executor.engine=local to try the jobs here."
            )
        self.engine, self.folder, self.cpus, self.parallel, self.timeouts = engine, folder, cpus, parallel, timeouts
        asked = {
            "timeout_min": minutes,
            "gpus_per_node": gpus or None,
            "mem_gb": memory_gb,
            "slurm_partition": partition,
            "slurm_account": account,
            "slurm_additional_parameters": further or None,
        }
        self._asked = {key: value for key, value in asked.items() if value is not None}

    def execute(self, orders: Sequence[Order | TuneOrder], directory: Path) -> Iterator[Message]:
        if not orders:
            return
        folder = (Path(self.folder).expanduser() if self.folder else directory / "jobs").absolute()
        open_directory(folder)
        queued = self._found(orders, folder)
        known = {queued_one.order.index for queued_one in queued}
        waiting = [order for order in orders if order.index not in known]
        room = len(orders) if self.engine == "slurm" else self.parallel or side_by_side(orders)
        try:
            while waiting or queued:
                if free := waiting[: room - len(queued)]:
                    waiting = waiting[len(free) :]
                    queued += self._queue(free, folder)
                ended = []
                for one in queued:
                    for message in self._heard(one, PATIENCE[self.engine]):
                        if message.died and not one.alive:
                            waiting.append(one.order)
                        else:
                            yield message
                        if message.ends:
                            ended.append(one)
                            _note(folder, one.order).unlink(missing_ok=True)
                            break
                queued = [one for one in queued if one not in ended]
                if not ended:
                    time.sleep(PAUSE[self.engine])
        finally:
            if self.engine == "local":
                _stop([one.job for one in queued])

    def _queue(self, orders: Sequence[Order | TuneOrder], folder: Path) -> list[_Queued]:
        """Submit orders as one array, and note which job is whose."""
        import submitit
        from submitit.core.utils import FailedJobError, FailedSubmissionError
        from submitit.helpers import clean_env, environment_variables

        here = Surroundings.here()
        said = [folder / f"{order.key}-{os.urandom(4).hex()}.jsonl" for order in orders]
        jobs = [Job(order, path, here) for order, path in zip(orders, said, strict=True)]
        threads = max(order.threads or 1 for order in orders)
        # A command that is itself a job must not hand down its own place in the queue.
        with clean_env(), environment_variables(**here.variables):
            executor = submitit.AutoExecutor(folder, cluster=self.engine, slurm_max_num_timeout=self.timeouts)
            executor.update_parameters(
                name=orders[0].key[:8],
                cpus_per_task=self.cpus or threads,
                slurm_array_parallelism=self.parallel or len(orders),
                **self._asked,
            )
            try:
                submitted = executor.submit_array(jobs)
            except (FailedJobError, FailedSubmissionError) as error:
                raise UserError(f"SLURM refused the jobs: {' '.join(str(error).split())}") from error
        queued = []
        for order, path, job in zip(orders, said, submitted, strict=True):
            if self.engine == "slurm":
                note = {"job": job.job_id, "said": path.name}
                write_whole(_note(folder, order), json.dumps(note).encode())
            queued.append(_Queued(order, job, Listener(path, order.index)))
        return queued

    def _found(self, orders: Sequence[Order | TuneOrder], folder: Path) -> list[_Queued]:
        """Orders whose job an earlier command queued, and that is not over."""
        import submitit

        found = []
        if self.engine == "slurm":
            for order in orders:
                try:
                    note = json.loads(_note(folder, order).read_text())
                    job = submitit.SlurmJob(folder, note["job"])
                    said = folder / Path(note["said"]).name
                except (OSError, ValueError, KeyError, TypeError):
                    continue
                if not any(message.ends for message in Listener(said, order.index).heard()) and not job.done():
                    found.append(_Queued(order, job, Listener(said, order.index), alive=False))
        return found

    @staticmethod
    def _heard(one: _Queued, patience: float) -> list[Message]:
        """What a job said; where it is over without having said how, that it died."""
        over = one.job.done()  # asked before, so that nothing can be said between
        one.alive = one.alive or not (over or one.job.state == "UNKNOWN")
        heard = one.listener.heard()
        if any(message.ends for message in heard) or not over:
            return heard
        one.over = one.over or time.monotonic()
        if time.monotonic() - one.over < patience:
            return heard
        log = (one.job.stderr() or "").strip().splitlines()
        last = f" It last said: {log[-1]}." if log else ""
        job = one.job
        reason = f"The job {job.job_id} died ({job.state}) and left no result.{last} Its log: {job.paths.stderr}"
        return [*heard, Message(one.order.index, "failed", reason, died=True)]


def _note(folder: Path, order: Order | TuneOrder) -> Path:
    return folder / f"{order.key}.json"


def _stop(jobs: Sequence[submitit.Job[Any]]) -> None:
    """End processes of this machine and wait until they are gone."""
    for job in jobs:
        job.cancel(check=False)
    deadline = time.monotonic() + 10
    while any(not job.done() for job in jobs) and time.monotonic() < deadline:
        time.sleep(0.1)
