"""What an executor promises: it may be slow or elsewhere, but it changes no number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from research.studies.worker import Message, Order, TuneOrder


class Executor(ABC):
    """Carries out orders, several at one time.

    Its constructor's keywords are what ``executor.KEY=VALUE`` may say. Everything that a run leaves lies below
    ``paths.runs``, wherever it was done, so whoever carries it out must see that directory.
    """

    @abstractmethod
    def execute(self, orders: Sequence[Order | TuneOrder], directory: Path) -> Iterator[Message]:
        """Do all orders and yield what they say, as it comes.

        Every order ends in exactly one message ``done`` or ``failed``, and says nothing behind it. If its process
        ended without a word, that message is ``failed`` with ``died=True``. An order that fails stops no other.

        A caller who breaks off or raises leaves nothing half: either the work is stopped, to be continued by the next
        call with the same orders, or it goes on and the next call listens to it.

        Args:
            orders: runs or tunings, started in this order.
            directory: of the study, where notes and logs may lie.

        Raises:
            UserError: the engine cannot be reached.
        """
