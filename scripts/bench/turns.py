"""Processes that are compared run at the same time and work in turn, so that all of them meet the same machine.

A machine that is shared is now fast and now slow: one epoch of one process took 5.7 s, the next 9.1. Processes one
after the other measure that as well, and a ratio of 1.1 drowns in it. Here one waits behind every small part of an
epoch, its clock stopped, until the others have done theirs. All are at the same part, so they need as many epochs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "BENCH_TURNS"
"""Names the open file over which a process is given turns; without it, it works alone."""
PARTS = 32
"""Turns of an epoch: a quarter of a second and more, so that an empty cache at its start does not count."""


class Turn:
    """The side of a process that is measured."""

    def __init__(self) -> None:
        """Wait for the first turn.

        Raises:
            RuntimeError: who gives turns has ended.
        """
        number = os.environ.get(VARIABLE)
        self._line = socket.socket(fileno=int(number)) if number else None
        self._part = 0
        self._waited = 0.0
        self._wait()

    def now(self) -> float:
        """Seconds, without those of others' turns."""
        return time.perf_counter() - self._waited

    def reached(self, epochs: float) -> None:
        """Say how many epochs are done; behind a part more, the others have their turn first.

        Raises:
            RuntimeError: who gives turns has ended.
        """
        part = int(epochs * PARTS)
        if part > self._part:
            self._part = part
            if self._line is not None:
                self._line.sendall(b".")
            self._wait()

    def _wait(self) -> None:
        if self._line is None:
            return
        begun = time.perf_counter()
        if not self._line.recv(1):
            raise RuntimeError("The benchmark that gives turns has ended.")
        self._waited += time.perf_counter() - begun


@dataclass(frozen=True)
class Said:
    """How a process ended."""

    code: int
    out: str
    err: str


def in_turn(commands: list[tuple[list[str], dict[str, str]]], folder: Path) -> list[Said]:
    """Run processes to their ends; of several, one works at a time. What interrupts this ends them too.

    Args:
        commands: the words and the variables of each, in the order of their turns.
        folder: where they run.
    """
    with ExitStack() as stack:
        started, lines = [], {}
        for words, environ in commands:
            out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2))
            ends = [stack.enter_context(end) for end in socket.socketpair()] if len(commands) > 1 else []
            if ends:
                environ = environ | {VARIABLE: str(ends[1].fileno())}
            handed = [end.fileno() for end in ends[1:]]
            process = subprocess.Popen(words, env=environ, cwd=folder, stdout=out, stderr=err, pass_fds=handed)
            if ends:
                lines[ends[0]] = process
                ends[1].close()
            stack.callback(process.wait)
            stack.callback(process.kill)
            started.append((process, out, err))
        give(lines)
        ended = []
        for process, *files in started:
            code = process.wait()
            for file in files:
                file.seek(0)
            ended.append(Said(code, *(file.read() for file in files)))
        return ended


def give(lines: dict[socket.socket, subprocess.Popen]) -> None:
    """Give turns until all have ended. A process that is about to end works too, so that is waited for."""
    waiting = deque(lines)
    while waiting:
        line = waiting.popleft()
        try:
            line.sendall(b".")
            handed_over = line.recv(1)
        except (BrokenPipeError, ConnectionResetError):  # it ended while others worked
            handed_over = b""
        if handed_over:
            waiting.append(line)
        else:
            lines[line].wait()
