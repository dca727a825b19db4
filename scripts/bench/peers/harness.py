"""What the three peers' scripts share: the data, a window of wall time, the answer as one JSON object.

They run inside the peers' environments, so nothing but the standard library, numpy and torch may be imported here.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Data:
    """Histories in compressed rows; items count from 1. The last item of a user is for the test."""

    offsets: np.ndarray
    items: np.ndarray
    n_items: int

    def rows(self, held_out: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``(user, item, place in the history)`` of all but the last ``held_out`` items of users with at least 3."""
        length_U = np.diff(self.offsets)
        kept_U = np.where(length_U >= 3, length_U - held_out, length_U)
        place_N = np.arange(len(self.items)) - np.repeat(self.offsets[:-1], length_U)
        kept_N = place_N < np.repeat(kept_U, length_U)
        user_N = np.repeat(np.arange(len(length_U)), length_U)
        return user_N[kept_N], self.items[kept_N].astype(np.int64), place_N[kept_N]


class Window:
    """Counts work between the end of the warm-up and the end of the window, both at the end of a step."""

    def __init__(self, warmup_s: float, window_s: float) -> None:
        self.warmup_s, self.window_s = warmup_s, window_s
        self.first: float | None = None
        self.opened: float | None = None
        self.closed: float | None = None
        self.rows = self.steps = 0

    def step(self, rows: int) -> bool:
        """A step with so many rows has ended; returns whether the window is closed."""
        now = time.perf_counter()
        if self.closed is not None:
            return True
        if self.first is None:
            self.first = now
        if self.opened is None:
            if now - self.first >= self.warmup_s:
                self.opened = now
            return False
        self.rows, self.steps = self.rows + rows, self.steps + 1
        if now - self.opened >= self.window_s:
            self.closed = now
        return self.closed is not None

    @property
    def seconds(self) -> float:
        if self.opened is None or self.closed is None:
            raise RuntimeError("Training ended before the window closed: give it more epochs or a shorter window.")
        return self.closed - self.opened

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds


def arguments(models: list[str]) -> argparse.Namespace:
    """The command line of a peer's script."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help=".npz with offsets, items (from 1), n_items")
    parser.add_argument("--model", choices=models, default=models[0])
    parser.add_argument("--max-length", type=int, default=50)
    parser.add_argument("--warmup", type=float, default=15.0, help="seconds")
    parser.add_argument("--window", type=float, default=60.0, help="seconds")
    parser.add_argument("--users", type=int, help="evaluate only so many users, for a trial")
    return parser.parse_args()


def read(path: Path) -> Data:
    """The arrays of the benchmark."""
    with np.load(path, allow_pickle=False) as arrays:
        return Data(arrays["offsets"], arrays["items"], int(arrays["n_items"]))


def free_stdout() -> int:
    """Send whatever a library prints to stderr; returns the descriptor that the answer is written to."""
    answer = os.dup(1)
    os.dup2(2, 1)
    return answer


def write(
    answer: int,
    window: Window,
    rows_per_epoch: int,
    histories: int,
    eval_users_per_s: float,
    packages: list[str],
    **facts: Any,
) -> None:
    """Write the answer.

    Args:
        answer: descriptor.
        window: closed.
        rows_per_epoch: what the window counted, of an epoch.
        histories: users that are trained on.
        eval_users_per_s: users ranked a second.
        packages: whose versions are stated.
        facts: whatever else is worth stating.
    """
    import torch

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    epoch_s = rows_per_epoch / window.rows_per_s
    result = {
        "epoch_s": [epoch_s],
        "whole_epoch": False,
        "window_s": window.seconds,
        "window_steps": window.steps,
        "window_share": window.rows / rows_per_epoch,
        "histories": histories,
        "histories_per_s": histories / epoch_s,
        "eval_users_per_s": eval_users_per_s,
        "peak_rss_bytes": peak if sys.platform == "darwin" else peak * 1024,
        "versions": {name: version(name) for name in ("torch", "numpy", *packages)},
        "threads": torch.get_num_threads(),
        **facts,
    }
    os.write(answer, (json.dumps(result) + "\n").encode())
