"""One order as a job of a queue: it says how it goes in a file, and goes back into the queue when it is pre-empted.

Nothing has to be saved at that moment: a run writes its checkpoint at the end of every epoch and continues there, with
the same numbers, and a tuning continues behind its last trial.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from research.errors import UserError
from research.studies.executors.said import say
from research.studies.executors.surroundings import Surroundings
from research.studies.worker import Message, Order, TuneOrder, attempt

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission

GRACE = 60.0
"""Seconds in which the signal that requeues must follow SIGTERM."""
EVERY = 2.0
"""Seconds between two reports of progress, which cross a network file system."""


@dataclass(frozen=True)
class Job:
    """What submitit calls.

    Attributes:
        order: what to do.
        said: the file of what it says.
        surroundings: of the command that queued it.
    """

    order: Order | TuneOrder
    said: Path
    surroundings: Surroundings

    def __call__(self) -> None:
        """Do it; how it ended stands in ``said``."""
        try:
            self.surroundings.enter()
        except UserError as error:
            say(self.said, Message(self.order.index, "failed", str(error)))
            return
        try:
            ended = attempt(self.order, self._say_at_times())
        except SystemExit as leaving:
            # SLURM sends SIGTERM beside the signal that requeues, and Lightning leaves at the first of them, without a
            # code. submitit leaves with one, when the job is queued again.
            if leaving.code is None:
                time.sleep(GRACE)
            raise
        say(self.said, ended)

    def checkpoint(self) -> DelayedSubmission:
        """What is queued in its place when it must go: the same."""
        from submitit.helpers import DelayedSubmission

        line = f"{self.order.name}: pre-empted or out of time, queued again."
        say(self.said, Message(self.order.index, "note", line))
        return DelayedSubmission(self)

    def _say_at_times(self) -> Callable[[Message], None]:
        last = float("-inf")

        def told(message: Message) -> None:
            nonlocal last
            if message.kind == "progress":
                if time.monotonic() - last < EVERY:
                    return
                last = time.monotonic()
            say(self.said, message)

        return told
