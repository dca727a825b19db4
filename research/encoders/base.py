"""An encoder turns embedded items into a state for every asked position, seeing only what its view allows.

A subclass writes one method, ``encode``: a plain sequence model over whole right-padded rows. This base class makes
the views. The long view is the whole row. A short view is cut out of the row first and encoded on its own, so nothing
from outside the window can reach a state, however many layers the encoder has; that is what makes a recurrent short
view honest, and not the full-history network under another name.

Shape legend: B rows, T positions, D width, N asked positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.chains import chains


class Encoder(nn.Module, ABC):
    """Constructed as ``Encoder(width, max_length, *, ...)``; keyword arguments are its configuration."""

    causal: ClassVar[bool]
    """True when the state at a position depends on that position and earlier ones only."""

    @abstractmethod
    def encode(self, x_BTD: Tensor, length_B: Tensor) -> Tensor:
        """Encode whole right-padded rows.

        Args:
            x_BTD: embedded items; what stands behind a row's length is arbitrary.
            length_B: real positions of each row, at least 1.

        Returns:
            ``(B, T, D)`` states; those behind a row's length are arbitrary.
        """

    def forward(self, x_BTD: Tensor, length_B: Tensor, at: Positions, start_N: Tensor | None = None) -> Tensor:
        """States of the asked positions.

        Args:
            x_BTD: embedded items of whole rows.
            length_B: real positions of each row.
            at: which states are asked for.
            start_N: first position each may see. ``None`` is the long view, the whole row; for a bidirectional
                encoder that includes what comes after the position.

        Returns:
            ``(N, D)`` states in the order of ``at``.
        """
        if start_N is None:
            return take(self.encode(x_BTD, length_B), at.row_N * x_BTD.shape[1] + at.position_N)
        return self.short_view(x_BTD, at, start_N)

    def short_view(self, x_BTD: Tensor, at: Positions, start_N: Tensor) -> Tensor:
        """States of the windows: each chain of windows is encoded as a row of its own.

        An encoder that knows a faster way to the same states may override this.
        """
        groups = list(chains(at, start_N, (x_BTD.shape[0], x_BTD.shape[1]), share=self.causal))
        states = [take(self.encode(take(x_BTD, g.element_CL), g.length_C), g.state_M) for g in groups]
        asked_N = torch.cat([g.asked_M for g in groups])
        return take(torch.cat(states), asked_N.argsort())


def take(table: Tensor, index: Tensor) -> Tensor:
    """Rows of ``table`` (flattened to its last axis) by flat index.

    An embedding look-up, because its backward on a CPU adds whole rows in parallel, where that of indexing or
    ``index_select`` is several times slower.
    """
    return F.embedding(index, table.reshape(-1, table.shape[-1]))
