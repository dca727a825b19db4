"""A gated recurrent unit over the history, after GRU4Rec (Hidasi et al., ICLR 2016, arXiv 1511.06939).

Departures: whole histories in parallel instead of session-parallel mini-batches, and a loss at every position.
"""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from research.encoders.recurrent import Recurrent
from research.encoders.steps import GRUStep, Step


class GRU(Recurrent):
    """torch's GRU over the view."""

    cell_type: ClassVar[type[nn.GRU] | type[nn.LSTM]] = nn.GRU
    step: ClassVar[type[Step]] = GRUStep
