"""A published model as its configuration builds it, over a few rows made by hand, in float64 and away from its start.

A test recomputes the scores of every candidate from the paper's formulas: plain loops over numpy arrays, or a layer
of another library loaded with the same weights. Nothing of ``research.encoders`` or ``research.fusion`` is called.

Shape legend: B rows, T positions, N asked positions, D width, I items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from research.config import compose
from research.data.batch import Batch, Positions
from research.data.histories import Histories
from research.data.split import LeaveOneOut
from research.training.assemble import Parts, assemble

HOUR, N_ITEMS = 3600, 9
ITEMS = [[3, 1, 4, 1, 5, 9, 2], [6, 5, 3], [8], [7, 9, 3, 2]]
TIMES = [[0, 1, 30, 31, 32, 90, 91], [5, 6, 200], [7], [1, 1, 1, 60]]
"""Hours."""
LATER = [5, 50, 500, 1]
"""Hours from each row's last item to the moment for which is asked there."""
SMALL = ["size=tiny", "width=6", "max_length=8", "dropout=0", "data=simulated"]


@dataclass
class Published:
    """A model with the batch that it reads."""

    parts: Parts
    batch: Batch
    weights: dict[str, np.ndarray]
    """Its ``state_dict`` as float64 arrays, such as ``weights["fusion.gate.weight"]``."""

    @property
    def items_ID(self) -> np.ndarray:
        """Vectors of the items 1 to I, in order."""
        return self.vector(torch.arange(1, N_ITEMS + 1))

    def vector(self, item: Tensor | int) -> np.ndarray:
        """Vectors of items by index; 0 is padding."""
        return self.parts.model.items(torch.as_tensor(item)).detach().numpy()

    @property
    def positions(self) -> list[tuple[int, int]]:
        """Row and position of every real interaction, in the order of ``scores``."""
        return [(b, t) for b, row in enumerate(ITEMS) for t in range(len(row))]

    def scores(self) -> np.ndarray:
        """``(N, I)`` what the framework scores: every item at every real position."""
        at = Positions.where(self.batch.items_BT > 0)
        with torch.no_grad():
            return self.parts.model(self.batch, at).score(self.parts.model.items.candidates()).numpy()


def published(name: str, make_histories, make_batch, *words: str) -> Published:
    """Build ``model=<name>`` with small sizes; further words override it."""
    stamps = [[HOUR * hours for hours in row] for row in TIMES]
    histories: Histories = make_histories(*ITEMS, times=stamps, n_items=N_ITEMS)
    config = compose([f"model={name}", *SMALL, *words])
    parts = assemble(config, histories, LeaveOneOut()(histories).train)
    random = torch.Generator().manual_seed(5)
    parts.model.double().eval()
    with torch.no_grad():
        for parameter in parts.model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
    batch = make_batch(ITEMS, stamps)
    later_B1 = HOUR * torch.tensor(LATER)[:, None]
    last_BT = torch.arange(batch.items_BT.shape[1]) == (batch.length_B - 1)[:, None]
    batch = replace(batch, now_BT=torch.where(last_BT, batch.times_BT + later_B1, batch.now_BT))
    weights = {key: value.numpy() for key, value in parts.model.state_dict().items() if value.is_floating_point()}
    return Published(parts, batch, weights)
