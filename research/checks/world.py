"""Real views over a few rows made by hand, in float64: what a fusion is handed, with encoders that learn.

Shape legend: B rows, T positions, N asked positions, D width, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.encoders.gru import GRU
from research.encoders.rows import Rows
from research.encoders.transformer import Transformer
from research.sizes import Sizes
from research.views import Views

D, N_ITEMS, HOUR = 6, 9, 3600
SIZES = Sizes(D, 8, n_items=N_ITEMS, n_users=4)
ITEMS = [[3, 1, 4, 1, 5, 9, 2], [6, 5, 3], [8], [7, 9, 3, 2]]
TIMES = [[0, 1, 30, 31, 32, 90, 91], [5, 6, 200], [7], [1, 1, 1, 60]]
"""Hours."""
LATER = [5, 50, 500, 1]
"""Hours from each row's last item to the moment for which is asked there."""


def moved(module: nn.Module, seed: int) -> nn.Module:
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
        """Vectors of all items."""
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
        start_N: Tensor | None = None,
        end_N: Tensor | None = None,
    ) -> Views:
        """What a fusion is handed: of all positions, with the windows of ``start_of``, unless told otherwise."""
        at = self.at if at is None else at
        batch = self.batch
        rows = Rows(self.table[batch.items_BT], batch.length_B, batch.times_BT, batch.users_B, now_BT=batch.now_BT)
        long = self.long if "long" in branches else None
        short = self.short if "short" in branches else None
        start_N = self.start_of(at) if start_N is None else start_N
        return Views(rows, self.batch, at, long=long, short=short, start_N=start_N, overlap=overlap, end_N=end_N)

    def row(self, b: int) -> World:
        """The same with one row alone."""
        n, batch = int(self.batch.length_B[b]), self.batch
        items, times, now = (rect[b : b + 1, :n] for rect in (batch.items_BT, batch.times_BT, batch.now_BT))
        return replace(self, batch=Batch(batch.users_B[b : b + 1], items, times, now, batch.length_B[b : b + 1]))


def small_world() -> World:
    """A Transformer over the history and a GRU over windows of one to three items."""
    longest = max(map(len, ITEMS))
    items = torch.tensor([row + [0] * (longest - len(row)) for row in ITEMS])
    times = HOUR * torch.tensor([row + [row[-1]] * (longest - len(row)) for row in TIMES])
    asked = [[*row[1:], row[-1] + later] for row, later in zip(TIMES, LATER, strict=True)]
    ends = [row[-1] for row in TIMES]
    now = HOUR * torch.tensor([row + [end] * (longest - len(row)) for row, end in zip(asked, ends, strict=True)])
    batch = Batch(torch.arange(len(ITEMS)), items, times, now, torch.tensor([len(row) for row in ITEMS]))
    table = torch.randn(N_ITEMS + 2, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.manual_seed(0)
    long, short = Transformer(SIZES, dropout=0.0), GRU(SIZES, dropout=0.0)
    moved(long, 1)
    moved(short, 2)
    return World(batch, table.requires_grad_(), long, short)
