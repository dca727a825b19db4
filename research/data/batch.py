"""A batch: right-padded rectangles cut out of the histories by one indexing operation each.

Right padding lets causal attention run without a padding mask and recurrent networks without packing.

Shape legend: B rows, T positions, N asked positions of all rows together, P positions in the histories.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from research.data.histories import Histories
from research.data.split import Spans


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
        columns: carried columns that the model reads, by name: ``(B, T)`` codes, 0 where unknown, hidden or padding.
    """

    users_B: Tensor
    items_BT: Tensor
    times_BT: Tensor
    now_BT: Tensor
    length_B: Tensor
    columns: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        moved = {name: getattr(self, name).to(device) for name in _TENSORS}
        return replace(self, **moved, columns=self.each(lambda codes_BT: codes_BT.to(device)))

    def each(self, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """The columns, each changed: who moves the items of a batch moves what was said of them in the same way."""
        return {name: change(codes_BT) for name, codes_BT in self.columns.items()}


_TENSORS = ("users_B", "items_BT", "times_BT", "now_BT", "length_B")


def cut(
    histories: Histories, users: np.ndarray, start_B: np.ndarray, stop_B: np.ndarray, columns: Sequence[str] = ()
) -> Batch:
    """Cut ``[start, stop)`` of the histories into one right-padded batch.

    Args:
        histories: the prepared dataset.
        users: ``(B,)`` user of each row.
        start_B: absolute first position of each row.
        stop_B: absolute position behind the last of each row; rows may be empty, not all of them.
        columns: carried columns that a model reads.
    """
    length_B = stop_B - start_B
    step_T = np.arange(max(int(length_B.max()), 1))
    inside_BT = step_T < length_B[:, None]
    # Positions behind the end read the row's last element (its time is kept, its item is blanked below).
    index_BT = np.minimum(start_B[:, None] + step_T, np.maximum(stop_B - 1, 0)[:, None])
    return _read(histories, users, index_BT, inside_BT, length_B, columns)


def cut_spans(
    histories: Histories, spans: Spans, chosen_B: np.ndarray, longest: int, columns: Sequence[str] = ()
) -> Batch:
    """Cut the latest interactions of some training spans, what the spans leave out skipped.

    Args:
        histories: the prepared dataset.
        spans: training spans.
        chosen_B: which of them; none may be empty.
        longest: interactions of a row at most.
        columns: carried columns that a model reads.
    """
    user_B, start_B, stop_B = spans.user[chosen_B], spans.start[chosen_B], spans.stop[chosen_B]
    if spans.kept is None:
        return cut(histories, user_B, np.maximum(start_B, stop_B - longest), stop_B, columns)
    position_P = spans.take(chosen_B).positions
    end_B = np.cumsum(spans.length[chosen_B])
    length_B = np.minimum(spans.length[chosen_B], longest)
    step_T = np.arange(int(length_B.max()))
    place_BT = np.minimum((end_B - length_B)[:, None] + step_T, end_B[:, None] - 1)
    return _read(histories, user_B, position_P[place_BT], step_T < length_B[:, None], length_B, columns)


def _read(
    histories: Histories,
    users: np.ndarray,
    index_BT: np.ndarray,
    inside_BT: np.ndarray,
    length_B: np.ndarray,
    columns: Sequence[str],
) -> Batch:
    items_BT = np.where(inside_BT, histories.items[index_BT], 0)
    times_BT = histories.times[index_BT].astype(np.int64)
    return Batch(
        users_B=torch.from_numpy(np.ascontiguousarray(users, dtype=np.int64)),
        items_BT=torch.from_numpy(items_BT.astype(np.int64)),
        times_BT=torch.from_numpy(times_BT),
        now_BT=torch.from_numpy(np.concatenate([times_BT[:, 1:], times_BT[:, -1:]], axis=1)),
        length_B=torch.from_numpy(length_B.astype(np.int64)),
        columns={
            name: torch.from_numpy(np.where(inside_BT, histories.columns[name][index_BT], 0).astype(np.int64))
            for name in columns
        },
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
