"""Runs of a study on this machine: a few long-lived worker processes, each doing one run at a time.

A worker that dies takes only its own run with it: the run is reported as failed and a new worker takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from research.errors import UserError
from research.studies.executors.base import Executor
from research.studies.worker import Message, Order, TuneOrder, work


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    order: Order | TuneOrder | None = None


class Local(Executor):
    """Processes of this machine. A caller who breaks off stops them."""

    def __init__(self, *, workers: int | None = None, memory_gb: float | None = None) -> None:
        """Say how many runs there are at one time.

        Args:
            workers: runs at one time; ``None`` is as many as the cores carry.
            memory_gb: what one run needs, in 2^30 bytes; without ``workers`` no more run than fit.

        Raises:
            UserError: a number makes no sense.
        """
        for name, value in (("workers", workers), ("memory_gb", memory_gb)):
            if value is not None and value <= 0:
                raise UserError(f"executor.{name}={value}: above 0, or null.")
        self.workers, self.memory_gb = workers, memory_gb

    def execute(self, orders: Sequence[Order | TuneOrder], directory: Path) -> Iterator[Message]:
        context = multiprocessing.get_context("spawn")
        waiting = list(reversed(orders))
        crew: list[_Worker] = []

        def hire() -> None:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            crew.append(_Worker(process, ours))

        def hand_out(worker: _Worker) -> None:
            worker.order = waiting.pop() if waiting else None
            worker.connection.send(worker.order)

        try:
            for _ in range(min(self.workers or side_by_side(orders, self.memory_gb), len(orders))):
                hire()
                hand_out(crew[-1])
            while busy := {w.connection: w for w in crew if w.order is not None}:
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]
                    assert worker.order is not None
                    try:
                        message: Message = worker.connection.recv()
                    except (EOFError, ConnectionResetError):
                        worker.process.join()
                        crew.remove(worker)
                        code = worker.process.exitcode
                        reason = f"The process died (exit code {code}); out of memory?"
                        yield Message(worker.order.index, "failed", reason, died=True)
                        if waiting:
                            hire()
                            hand_out(crew[-1])
                        continue
                    yield message
                    if message.ends:
                        hand_out(worker)
        finally:
            for worker in crew:
                if worker.order is not None:
                    worker.process.terminate()
                worker.process.join(timeout=10)


def side_by_side(orders: Sequence[Order | TuneOrder], memory_gb: float | None = None) -> int:
    """How many of them this machine carries at one time.

    Cores divided by the threads of a run, so one when a run takes all cores; and no more than fit into the memory.
    """
    threads = [order.threads for order in orders]
    carried = 1 if None in threads else (os.cpu_count() or 1) // max((n for n in threads if n), default=1)
    if memory_gb is not None:
        carried = min(carried, int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30 / memory_gb))
    return max(1, carried)
