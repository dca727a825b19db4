"""Arithmetic in NumPy over the rows of ``research.checks.world``, for what is recomputed by hand.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

import numpy as np
import torch

from research.checks.world import HOUR, ITEMS, LATER, N_ITEMS, SIZES, TIMES, D, World, moved
from research.encoders.rows import Rows

__all__ = [
    "HOUR", "HOURS_AWAY", "ITEMS", "LATER", "N_ITEMS", "POSITIONS", "SIZES", "TIMES", "D", "World",
    "linear", "moved", "own", "same", "sigmoid", "softmax", "start", "states",
]  # fmt: skip
POSITIONS = [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]
HOURS_AWAY = [1, 29, 1, 1, 58, 1, 5, 1, 194, 50, 500, 0, 0, 59, 1]
"""From each interaction to the next, and from a row's last to the moment for which is asked."""


def own(module: torch.nn.Module) -> dict[str, object]:
    """Weights as NumPy arrays, by name."""
    return {name: t.detach().numpy() for name, t in module.state_dict().items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum()


def start(b: int, t: int) -> int:
    """The fixture's windows."""
    return max(0, t - (t + b) % 3)


def states(world: World, overlap: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Both states, each from one history or window that was cut out by hand and encoded alone."""
    long, short = [], []
    for b, t in POSITIONS:
        x_1TD = world.table[torch.tensor([ITEMS[b]])]
        until = t + 1 if overlap else start(b, t)
        alone = [(long, world.long, x_1TD[:, :until]), (short, world.short, x_1TD[:, start(b, t) : t + 1])]
        for found, encoder, cut_1LD in alone:
            n = cut_1LD.shape[1]
            found.append(encoder.encode(Rows(cut_1LD, torch.tensor([n])))[0, -1] if n else torch.zeros(D).double())
    return torch.stack(long).detach().numpy(), torch.stack(short).detach().numpy()


def same(got: torch.Tensor | None, expected: object) -> None:
    assert got is not None
    np.testing.assert_allclose(got.detach().numpy(), np.array(expected), rtol=0, atol=1e-9)


def linear(x: np.ndarray, weights: dict, name: str) -> np.ndarray:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
