"""A process that does one order after another; what it imports and warms up serves them all."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from research.errors import UserError
from research.studies.apart import run_apart
from research.studies.once import BusyError, heed_failure, locked
from research.training.environment import code

if TYPE_CHECKING:
    from research.training.callbacks import Report
    from research.tuning.arm import Tuning


@dataclass(frozen=True)
class Order:
    """A run to do.

    Attributes:
        index: in the plan.
        overrides: words that compose it.
        study: its name, the directory below ``paths.runs``.
        arm: the study's axes and their values.
        label: of the arm, for people.
        tuned: what the record says of the arm's tuning.
        again: whether it is done although it failed before.
        threads: of the CPU, in all its processes; ``None``: all that there are.
    """

    index: int
    overrides: list[str]
    study: str
    arm: dict[str, str]
    label: str
    tuned: dict[str, Any] | None = None
    again: bool = False
    threads: int | None = None

    @property
    def name(self) -> str:
        """The run for people."""
        seed = next((word for word in reversed(self.overrides) if word.startswith("seed=")), "")
        return f"{self.label}, {seed.replace('=', ' ')}" if seed else self.label

    @property
    def key(self) -> str:
        """The same for the same run of the same study, whatever its place in the plan."""
        return _digest([self.study, *self.overrides])

    def carry_out(self, report: Report, announce: Callable[[str], None]) -> dict[str, Any]:
        """Train and test; returns the record.

        Raises:
            BusyError: another process does this run.
            UserError: as ``run``; or it failed before and is not to be done again.
        """
        from research.training.lean_imports import import_lightning

        import_lightning()
        from research.config import compose
        from research.training.names import run_directory
        from research.training.run import run

        config = compose(self.overrides)
        said = {"study": self.study, "arm": self.arm, "name": self.label, "tuning": self.tuned}
        directory = run_directory(config, self.study)
        with locked(directory / ".lock", self.name):
            heed_failure(directory, again=self.again)
            if config.trainer.devices > 1 and not config.get("baseline"):
                run_apart(self.overrides, said, report, announce)
            record, _ = run(config, **said, report=report, announce=announce)
        return record


@dataclass(frozen=True)
class TuneOrder:
    """All trials of an arm, one after the other.

    Attributes:
        index: among the tunings of the study.
        tuning: what to do.
        again: whether it is done although it chose nothing before.
    """

    index: int
    tuning: Tuning
    again: bool = False

    @property
    def name(self) -> str:
        """The tuning for people."""
        return self.tuning.title

    @property
    def key(self) -> str:
        """The same for the same tuning of the same study."""
        return _digest([str(self.tuning.directory), self.tuning.stem])

    @property
    def threads(self) -> int | None:
        """Of the CPU; ``None``: all that there are."""
        return self.tuning.corners[0].trainer.threads

    def carry_out(self, report: Report, announce: Callable[[str], None]) -> dict[str, Any]:
        """Do the trials that are missing; returns the result.

        Raises:
            BusyError: another process tunes this arm.
            UserError: no trial ended well, now or before where it is not to be done again.
        """
        from research.training.lean_imports import import_lightning

        import_lightning()
        from research.tuning.tune import tune

        with locked(self.tuning.directory / f".{self.tuning.stem}.lock", self.name):
            result = self.tuning.read()
            if result is None or (result["status"] == "failed" and self.again):
                result = tune(self.tuning, report=report, announce=announce)
        if result["status"] == "failed":
            raise UserError(result["reason"])
        return result


@dataclass(frozen=True)
class Message:
    """What became of it: ``progress`` with a Progress, ``note`` with a line, ``done`` with a record, ``failed`` or
    ``skipped`` with the reason.

    ``died`` says that the process ended without a word, so that nobody but the listener can note it.
    """

    index: int
    kind: str
    content: Any
    died: bool = False

    @property
    def ends(self) -> bool:
        """Whether it is the last of its order."""
        return self.kind in ("done", "failed", "skipped")


def attempt(order: Order | TuneOrder, say: Callable[[Message], object]) -> Message:
    """Carry out an order in this process; an error in it is an outcome.

    Args:
        order: what to do.
        say: hears progress and notes.

    Returns:
        How it ended.
    """

    def send(kind: str, content: Any) -> None:
        say(Message(order.index, kind, content))

    try:
        done = order.carry_out(lambda progress: send("progress", progress), lambda line: send("note", line))
    except BusyError as error:
        return Message(order.index, "skipped", str(error))
    except UserError as error:
        return Message(order.index, "failed", str(error))
    except Exception:
        return Message(order.index, "failed", traceback.format_exc(limit=-3))
    return Message(order.index, "done", done)


def work(connection: Connection) -> None:
    """Take orders from ``connection`` until ``None`` comes."""
    _end_with_parent()
    code()

    def say(message: Message) -> None:
        try:
            connection.send(message)
        except OSError:  # nobody listens: the study was killed. To raise would make the run one that failed.
            os._exit(1)

    while (order := connection.recv()) is not None:
        say(attempt(order, say))


def _end_with_parent() -> None:
    """End at once when the study is killed, so that it can be started again without two processes on one run."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _digest(content: list[str]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
