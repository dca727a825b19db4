"""What the two LSTURs share: a GRU of torch's over the last seven days, and a softmax over a click and four others.

Shape legend: T positions, D width, N asked positions, I items, K negatives.
"""

from __future__ import annotations

import numpy as np
import torch
from published import ITEMS, TIMES, Published
from recomputed import FOLLOWED, NEXT, embedded
from torch import nn

WEEK = 7 * 24
"""Hours."""


def recent(b: int, t: int) -> list[int]:
    """The items of the last seven days, this moment's included."""
    return [item for item, hour in zip(ITEMS[b][: t + 1], TIMES[b], strict=False) if hour >= TIMES[b][t] - WEEK]


def read(model: Published, items: list[int], start_D: np.ndarray) -> np.ndarray:
    """The last state of a GRU that begins from ``start_D``."""
    cell, prefix = nn.GRU(6, 6, batch_first=True).double(), "short.cell."
    cell.load_state_dict(
        {k.removeprefix(prefix): torch.from_numpy(v) for k, v in model.weights.items() if k.startswith(prefix)}
    )
    with torch.no_grad():
        _, last_11D = cell(torch.from_numpy(embedded(model, items))[None], torch.from_numpy(start_D)[None, None])
    return last_11D[0, 0].numpy()


def user(model: Published, b: int) -> np.ndarray:
    return model.weights["long.table.weight"][b] * 6**0.5


def clicked(scores_NI: np.ndarray, drawn: list[list[int]]) -> float:
    """-log of the share of the right item among itself and its own drawn ones, summed."""
    total = 0.0
    for n, own, others in zip(FOLLOWED, NEXT, drawn, strict=True):
        met = [scores_NI[n, own - 1], *(scores_NI[n, other - 1] for other in others if other != own)]
        total += np.log(np.exp(met).sum()) - met[0]
    return total
