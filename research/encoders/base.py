"""An encoder turns embedded items into a state for every asked position, seeing only what its view allows.

A subclass writes one method, ``encode``: a plain sequence model over whole right-padded rows. This base class makes
the views. The long view is the whole row. A short view is cut out of the row first and encoded on its own, so nothing
from outside the window can reach a state, however many layers the encoder has; that is what makes a recurrent short
view honest, and not the full-history network under another name.

Shape legend: B rows, T positions, D width, N asked positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from research.data.batch import Positions
from research.encoders.chains import chains
from research.encoders.rows import Rows, take


class Encoder(nn.Module, ABC):
    """Constructed as ``Encoder(sizes, *, ...)``; keyword arguments are its configuration."""

    causal: ClassVar[bool]
    """True when the state at a position depends on that position and earlier ones only."""
    needs_times: ClassVar[bool] = False
    """Whether it reads times, so that the dataset must have real ones."""
    reads_content: ClassVar[bool] = False
    """Whether it reads what the data say of the items: it is constructed as ``Encoder(sizes, content, *, ...)``."""
    takes_initial: ClassVar[bool] = False
    """Whether it can begin from a given state."""
    interests: int = 1
    """How many vectors a state is made of, side by side."""
    reach: int | None = None
    """How many of the latest items a state depends on at most: ``None`` is all that its view shows, 0 none."""

    @property
    def user_table(self) -> Tensor | None:
        """Vectors ``(U, D)`` of all users, of an encoder that learns one for each."""
        return None

    @abstractmethod
    def encode(self, rows: Rows) -> Tensor:
        """Encode whole right-padded rows.

        Returns:
            ``(B, T, D)`` states, ``(B, T, K * D)`` of an encoder with K interests; those behind a row's length are
            arbitrary.
        """

    def states(self, rows: Rows, at: Positions) -> Tensor:
        """``(N, D)`` states at the asked positions only; to be overridden where that is cheaper than all of them."""
        return take(self.encode(rows), at.row_N * rows.shape[1] + at.position_N)

    def forward(
        self, rows: Rows, at: Positions, start_N: Tensor | None = None, initial_ND: Tensor | None = None
    ) -> Tensor:
        """States of the asked positions.

        Args:
            rows: whole histories.
            at: which states are asked for.
            start_N: first position each may see. ``None`` is the long view, the whole row; for a bidirectional
                encoder that includes what comes after the position.
            initial_ND: state from which the window of each position is read; equal where the windows begin at the
                same place.

        Returns:
            ``(N, D)`` states in the order of ``at``.
        """
        if start_N is None:
            return self.states(rows, at)
        return self.short_view(rows, at, start_N, initial_ND)

    def short_view(self, rows: Rows, at: Positions, start_N: Tensor, initial_ND: Tensor | None = None) -> Tensor:
        """States of the windows: each chain of windows is encoded as a row of its own.

        An encoder that knows a faster way to the same states may override this.
        """
        found, asked = [], []
        for group in chains(at, start_N, rows.shape, share=self.causal):
            window = rows.cut(group.element_CL, group.length_C)
            if initial_ND is not None:
                window = replace(window, initial_BD=take(initial_ND, group.representative_C))
            found.append(self.states(window, group.at))
            asked.append(group.asked_M)
        return take(torch.cat(found), torch.cat(asked).argsort())
