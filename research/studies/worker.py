"""A process that does one run after another; what it imports and warms up serves them all."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from research.errors import UserError


@dataclass(frozen=True)
class Order:
    """A run to do."""

    index: int
    overrides: list[str]
    study: str
    arm: dict[str, str]
    label: str


@dataclass(frozen=True)
class Message:
    """What became of it: ``progress`` with a Progress, ``note`` with a line, ``done`` with a record, ``failed``."""

    index: int
    kind: str
    content: Any


def work(connection: Connection) -> None:
    """Take orders from ``connection`` until ``None`` comes."""
    from research.config import compose
    from research.training.run import run

    while (order := connection.recv()) is not None:

        def send(kind: str, content: Any, index: int = order.index) -> None:
            connection.send(Message(index, kind, content))

        try:
            record, _ = run(
                compose(order.overrides),
                study=order.study,
                arm=order.arm,
                name=order.label,
                report=lambda progress, send=send: send("progress", progress),
                announce=lambda line, send=send: send("note", line),
            )
            send("done", record)
        except UserError as error:
            send("failed", str(error))
        except Exception:
            send("failed", traceback.format_exc(limit=-3))
