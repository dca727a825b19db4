"""An executor of this process: to start another costs more seconds than the runs of a test about something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from research.studies.executors.base import Executor
from research.studies.worker import Message, Order, TuneOrder, attempt


class Here(Executor):
    """One order after the other."""

    def execute(self, orders: Sequence[Order | TuneOrder], directory: Path) -> Iterator[Message]:
        for order in orders:
            said: list[Message] = []
            end = attempt(order, said.append)
            yield from said
            yield end
