"""Real views over a few rows made by hand, in float64: what a fusion is handed, with encoders that learn.

Shape legend: B rows, T positions, N asked positions, D width, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.encoders.rows import Rows
from research.sizes import Sizes
from research.views import Views

D, N_ITEMS, HOUR = 6, 9, 3600
SIZES = Sizes(D, 8, n_items=N_ITEMS, n_users=4)
ITEMS = [[3, 1, 4, 1, 5, 9, 2], [6, 5, 3], [8], [7, 9, 3, 2]]
TIMES = [[0, 1, 30, 31, 32, 90, 91], [5, 6, 200], [7], [1, 1, 1, 60]]
"""Hours."""
LATER = [5, 50, 500, 1]
"""Hours from each row's last item to the moment for which is asked there."""
POSITIONS = [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]
HOURS_AWAY = [1, 29, 1, 1, 58, 1, 5, 1, 194, 50, 500, 0, 0, 59, 1]
"""From each interaction to the next, and from a row's last to the moment for which is asked."""


def moved(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """In float64, every parameter moved away from where it starts, so that no term is zero by chance."""
    random = torch.Generator().manual_seed(seed)
    module.double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.5 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    return module


@dataclass
class World:
    """Everything that views are made of."""

    batch: Batch
    table: Tensor
    long: Encoder
    short: Encoder

    @property
    def at(self) -> Positions:
        """All real positions."""
        return Positions.where(self.batch.items_BT > 0)

    @property
    def candidates_CD(self) -> Tensor:
        return self.table[1 : N_ITEMS + 1]

    def start_of(self, at: Positions) -> Tensor:
        """Windows of 1 to 3 items; some begin with the history, some do not."""
        return (at.position_N - (at.position_N + at.row_N) % 3).clamp(min=0)

    def views(
        self,
        branches: tuple[str, ...] = ("long", "short"),
        *,
        overlap: bool = True,
        at: Positions | None = None,
        end_N: Tensor | None = None,
    ) -> Views:
        at = self.at if at is None else at
        rows = Rows(self.table[self.batch.items_BT], self.batch.length_B, self.batch.times_BT, self.batch.users_B)
        long, short = (getattr(self, name) if name in branches else None for name in ("long", "short"))
        start_N = self.start_of(at)
        return Views(rows, self.batch, at, long=long, short=short, start_N=start_N, overlap=overlap, end_N=end_N)

    def row(self, b: int) -> World:
        """The same with one row alone."""
        n = int(self.batch.length_B[b])
        cut = {name: getattr(self.batch, name)[b : b + 1, :n] for name in ("items_BT", "times_BT", "now_BT")}
        users, length = self.batch.users_B[b : b + 1], self.batch.length_B[b : b + 1]
        return replace(self, batch=Batch(users_B=users, length_B=length, **cut))


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
