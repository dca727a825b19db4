"""A process that does one order after another; what it imports and warms up serves them all."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from research.errors import UserError

if TYPE_CHECKING:
    from research.training.callbacks import Report
    from research.tuning.arm import Tuning


@dataclass(frozen=True)
class Order:
    """A run to do."""

    index: int
    overrides: list[str]
    study: str
    arm: dict[str, str]
    label: str
    tuned: dict[str, Any] | None = None

    def carry_out(self, report: Report, announce: Callable[[str], None]) -> dict[str, Any]:
        """Train and test; returns the record."""
        from research.config import compose
        from research.training.run import run

        record, _ = run(
            compose(self.overrides),
            study=self.study,
            arm=self.arm,
            name=self.label,
            tuning=self.tuned,
            report=report,
            announce=announce,
        )
        return record


@dataclass(frozen=True)
class TuneOrder:
    """All trials of an arm, one after the other."""

    index: int
    tuning: Tuning

    def carry_out(self, report: Report, announce: Callable[[str], None]) -> dict[str, Any]:
        """Do the trials that are missing; returns the result.

        Raises:
            UserError: no trial ended well.
        """
        from research.tuning.tune import tune

        result = tune(self.tuning, report=report, announce=announce)
        if result["status"] == "failed":
            raise UserError(result["reason"])
        return result


@dataclass(frozen=True)
class Message:
    """What became of it: ``progress`` with a Progress, ``note`` with a line, ``done`` with a record, ``failed``.

    ``died`` says that the process ended without a word, so that nobody but the listener can note it.
    """

    index: int
    kind: str
    content: Any
    died: bool = False


def work(connection: Connection) -> None:
    """Take orders from ``connection`` until ``None`` comes."""
    from research.training.lean_imports import import_lightning

    import_lightning()
    while (order := connection.recv()) is not None:

        def send(kind: str, content: Any, index: int = order.index) -> None:
            connection.send(Message(index, kind, content))

        try:
            done = order.carry_out(
                lambda progress, send=send: send("progress", progress),
                lambda line, send=send: send("note", line),
            )
            send("done", done)
        except UserError as error:
            send("failed", str(error))
        except Exception:
            send("failed", traceback.format_exc(limit=-3))
