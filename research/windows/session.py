"""The current session: everything since the last pause longer than a gap."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.windows.base import Window


class Session(Window):
    """A session begins at every interaction that comes more than ``gap`` minutes after the one before."""

    needs_times: ClassVar[bool] = True

    def __init__(self, *, gap: float = 30.0) -> None:
        """Set the pause that ends a session.

        Args:
            gap: minutes, above 0. A pause of exactly ``gap`` minutes stays within the session.

        Raises:
            UserError: ``gap`` is not above 0.
        """
        if gap <= 0:
            raise UserError(
                f"window.gap={gap}: a session ends after a pause of more than 0 minutes. Try window.gap=30."
            )
        self.gap = gap

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        pause_BT = batch.times_BT.diff(dim=1, prepend=batch.times_BT[:, :1])
        position_T = torch.arange(batch.times_BT.shape[1], device=batch.times_BT.device)
        begins_BT = torch.where(pause_BT > self.gap * 60, position_T, 0)
        return at.of(begins_BT.cummax(dim=1).values)
