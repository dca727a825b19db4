"""p that took long to find, beside the records: ``tests.json``, keyed by the content of the numbers that were tested.

A key is a hash of everything that decides p, so nothing here can be out of date, and a table is the same with the file
and without it. It is written only when the work took long; deleting it costs that time again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from research.data.atomic import write_whole

WORTH = 0.5
"""Seconds of a processor's work from which on it is kept."""

METHOD = "sign flips 1"
"""Part of every key; a change of the test's signs needs another number."""


KNOWN: dict[str, float] = {}
"""What this process has found already: a page asks for the same tests as the table before it."""


class Remembered:
    """p by key, from the file and from this process; ``keep`` writes what was used when the work was long.

    Args:
        directory: the study's.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / "tests.json"
        self.stored = _read(self.path)
        self.used: dict[str, float] = {}
        self.seconds = 0.0

    def key(self, difference_U: np.ndarray, draws: int) -> str:
        """Of one test."""
        said = f"{METHOD}, {draws} draws, {len(difference_U)} users\n".encode()
        return hashlib.sha256(said + np.ascontiguousarray(difference_U, dtype="<f8").tobytes()).hexdigest()[:32]

    def find(self, key: str) -> float | None:
        """A p that is known."""
        p = self.stored.get(key, KNOWN.get(key))
        if p is not None:
            self.used[key] = p
        return p

    def learn(self, key: str, p: float) -> None:
        """A p that was found."""
        self.used[key] = KNOWN[key] = p

    @contextmanager
    def work(self) -> Iterator[None]:
        """Time what is done inside."""
        started = time.process_time()
        yield
        self.seconds += time.process_time() - started

    def keep(self) -> None:
        """Write what is known, if finding it took long; a directory that cannot be written to is no error."""
        if self.seconds >= WORTH:
            content = {**self.stored, **self.used}
            with suppress(OSError):
                write_whole(self.path, (json.dumps(content, indent=0, sort_keys=True) + "\n").encode())


def _read(path: Path) -> dict[str, float]:
    """Only numbers between 0 and 1 count; a damaged file is as good as none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {key: p for key, p in content.items() if isinstance(p, float) and 0 < p <= 1}
