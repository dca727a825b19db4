"""A batch: right-padded rectangles cut out of the histories by one indexing operation each.

Right padding lets causal attention run without a padding mask and recurrent networks without packing.

Shape legend: B rows, T positions, N asked positions of all rows together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from research.data.histories import Histories


@dataclass(frozen=True)
class Batch:
    """What a model sees of some users.

    Attributes:
        users_B: user indices.
        items_BT: item indices in time order, 0 behind the end.
        times_BT: seconds since 1970 UTC; behind the end the last real time is repeated.
        now_BT: seconds of the moment for which is asked at each position: when the next interaction happens, or for
            a hidden item its own time. A recommender knows when it is asked.
        length_B: real positions of each row.
    """

    users_B: Tensor
    items_BT: Tensor
    times_BT: Tensor
    now_BT: Tensor
    length_B: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def cut(histories: Histories, users: np.ndarray, start_B: np.ndarray, stop_B: np.ndarray) -> Batch:
    """Cut ``[start, stop)`` of the histories into one right-padded batch.

    Args:
        histories: the prepared dataset.
        users: ``(B,)`` user of each row.
        start_B: absolute first position of each row.
        stop_B: absolute position behind the last of each row; rows may be empty, not all of them.
    """
    length_B = stop_B - start_B
    step_T = np.arange(max(int(length_B.max()), 1))
    inside_BT = step_T < length_B[:, None]
    # Positions behind the end read the row's last element (its time is kept, its item is blanked below).
    index_BT = np.minimum(start_B[:, None] + step_T, np.maximum(stop_B - 1, 0)[:, None])
    items_BT = np.where(inside_BT, histories.items[index_BT], 0)
    times_BT = histories.times[index_BT].astype(np.int64)
    return Batch(
        users_B=torch.from_numpy(np.ascontiguousarray(users, dtype=np.int64)),
        items_BT=torch.from_numpy(items_BT.astype(np.int64)),
        times_BT=torch.from_numpy(times_BT),
        now_BT=torch.from_numpy(np.concatenate([times_BT[:, 1:], times_BT[:, -1:]], axis=1)),
        length_B=torch.from_numpy(length_B.astype(np.int64)),
    )


@dataclass(frozen=True)
class Positions:
    """Which states are asked for: row and position of each, sorted by row, then position.

    Training asks for every supervised position, a test for one a user: what nobody asked for is never computed.
    """

    row_N: Tensor
    position_N: Tensor

    def __len__(self) -> int:
        return len(self.row_N)

    def of(self, value_BT: Tensor) -> Tensor:
        """Pick the asked entries out of a rectangle: ``(B, T, ...) -> (N, ...)``."""
        return value_BT[self.row_N, self.position_N]

    @staticmethod
    def where(mask_BT: Tensor) -> Positions:
        """Every true entry of a mask."""
        row_N, position_N = mask_BT.nonzero(as_tuple=True)
        return Positions(row_N, position_N)

    @staticmethod
    def last(length_B: Tensor) -> Positions:
        """The last real position of each row; rows must not be empty."""
        return Positions(torch.arange(len(length_B), device=length_B.device), length_B - 1)
