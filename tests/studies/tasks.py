"""Orders for the tests of executors. They lie apart, because each process that does one imports this file."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from research.errors import UserError
from research.studies.executors.ray import _Mailbox
from research.studies.worker import Message, Order


@dataclass(frozen=True)
class Task:
    """An order that needs no training: what it does is its first word."""

    index: int
    does: str
    place: str = ""
    threads: int | None = 1

    @property
    def name(self) -> str:
        return f"task {self.index}"

    @property
    def key(self) -> str:
        return f"task-{self.index}"

    def carry_out(self, report: Callable[[Any], None], announce: Callable[[str], None]) -> dict[str, Any]:
        first = self._first()
        if self.does == "exit" or (self.does == "exit once" and first):
            os._exit(3)
        if self.does == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.does == "mistake":
            raise UserError("There is no such thing.")
        if self.does == "fault":
            raise ValueError("broken")
        if self.does == "pre-empted" and first:
            os.kill(os.getpid(), signal.SIGUSR2)
            time.sleep(60)
        if self.does == "pre-empted by SIGTERM first" and first:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR2)).start()
            raise SystemExit  # as Lightning does
        if self.does == "waits":
            announce("waiting")
            while not Path(self.place, "go").exists():
                time.sleep(0.05)
        announce(f"hello from {self.index}")
        return {"index": self.index, "here": str(Path.cwd()), "told": os.environ.get("RESEARCH_TOLD")}

    def _first(self) -> bool:
        """Whether it was never tried before."""
        if not self.place:
            return False
        before = Path(self.place, f"tried-{self.index}")
        first = not before.exists()
        before.touch()
        return first


class SlowMailbox(_Mailbox):
    """One at the other end of a slow network."""

    def put(self, message: Message) -> None:
        time.sleep(0.5)
        super().put(message)


@dataclass(frozen=True)
class Preempted(Order):
    """A run whose node is taken away in its second epoch, once."""

    place: str = ""

    def carry_out(self, report: Callable[[Any], None], announce: Callable[[str], None]) -> dict[str, Any]:
        def told(progress: Any) -> None:
            before = Path(self.place)
            if progress.epoch >= 2 and not before.exists():
                before.touch()
                os.kill(os.getpid(), signal.SIGUSR2)

        return super().carry_out(told, announce)
