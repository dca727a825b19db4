"""Runs of a study on this machine: a few long-lived worker processes, each doing one run at a time.

A worker that dies takes only its own run with it: the run is reported as failed and a new worker takes its place.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from research.studies.worker import Message, Order, TuneOrder, work


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    order: Order | TuneOrder | None = None


def execute(orders: Sequence[Order | TuneOrder], workers: int) -> Iterator[Message]:
    """Do all orders and yield what the workers say, as it comes.

    Args:
        orders: runs or tunings to do, started in this order.
        workers: processes at one time, at least 1.
    """
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
        for _ in range(min(workers, len(orders))):
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
                if message.kind in ("done", "failed"):
                    hand_out(worker)
    finally:
        for worker in crew:
            if worker.order is not None:
                worker.process.terminate()
            worker.process.join(timeout=10)
