"""No window: the short-term view is the whole history, as in SLi-Rec and CLSR, where only the encoders differ."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.windows.base import Window


class All(Window):
    """``start = 0``. Nothing lies before it: no use for ``overlap=false`` or a fusion that reads what came before."""

    whole: ClassVar[bool] = True

    def __call__(self, batch: Batch, at: Positions) -> Tensor:
        return torch.zeros_like(at.position_N)
