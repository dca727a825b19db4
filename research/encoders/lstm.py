"""A long short-term memory over the history (Hochreiter and Schmidhuber, Neural Computation 1997)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from research.encoders.recurrent import Recurrent
from research.encoders.steps import LSTMStep, Step


class LSTM(Recurrent):
    """torch's LSTM over the view; the state is its output, not its memory."""

    cell_type: ClassVar[type[nn.GRU] | type[nn.LSTM]] = nn.LSTM
    step: ClassVar[type[Step]] = LSTMStep

    def begin(self, h_LBD: Tensor) -> Any:
        return h_LBD, torch.zeros_like(h_LBD)
