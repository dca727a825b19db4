"""What a fusion can ask about a batch. Each view is computed when it is first asked for, and once.

    rows (embedded histories) --long encoder over everything----> long_ND
              |
              +-----------------short encoder over the window---> short_ND

Most fusions ask for the two states and nothing else. Others ask what the user is, how long ago the last interaction
was, or for the items of the window themselves; none of them needs a flag in the model for that.

Shape legend: B rows, T positions, N asked positions, D width, L longest window.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from research.data.batch import Batch, Positions
from research.encoders.base import Encoder
from research.encoders.rows import Rows, take


class Views:
    """The long and the short view of some histories, at the asked positions."""

    def __init__(
        self,
        rows: Rows,
        batch: Batch,
        at: Positions,
        *,
        long: Encoder | None,
        short: Encoder | None,
        start_N: Tensor | None,
        overlap: bool = True,
        end_N: Tensor | None = None,
    ) -> None:
        """Hold what the views are made of.

        Args:
            rows: embedded histories.
            batch: the same histories as indices and times.
            at: the asked positions.
            long: encoder of the whole history, ``None`` when nobody reads it.
            short: encoder of the window, likewise.
            start_N: first position of the window of each asked position.
            overlap: whether the long view contains the window too; else it ends just before it.
            end_N: last position of each window, not beyond the asked one and not falling along a row. Before its start:
                the window is empty and the short state zeros. ``None``: every window ends where it is asked.
        """
        self.rows, self.batch, self.at = rows, batch, at
        self.long, self.short, self.overlap = long, short, overlap
        self._start_N = start_N
        self._end_N = end_N

    def __len__(self) -> int:
        return len(self.at)

    @property
    def start_N(self) -> Tensor:
        """First position of each window."""
        assert self._start_N is not None, "a fusion that reads the window names the short branch"
        return self._start_N

    @property
    def end_N(self) -> Tensor:
        """Last position of each window; before its start where the window is empty."""
        return self.at.position_N if self._end_N is None else self._end_N

    @cached_property
    def long_ND(self) -> Tensor:
        """Long-term states; zeros when the fusion does not read that branch."""
        if self.long is None:
            return self._nothing_ND
        return self.long(self.rows, self.at) if self.overlap else self.before_ND

    @cached_property
    def long_BTD(self) -> Tensor:
        """States of the long encoder at every position; those behind a row's length are arbitrary."""
        assert self.long is not None, "a fusion that reads the long view names that branch"
        return self.long.encode(self.rows)

    @cached_property
    def before_ND(self) -> Tensor:
        """Long-term states just before each window begins; zeros where nothing comes before it.

        An encoder that reads no items, such as a vector of the user, says there what it always says.
        """
        assert self.long is not None, "a fusion that reads the long view names that branch"
        return self._before(self.long)

    @cached_property
    def short_ND(self) -> Tensor:
        """Short-term states; zeros when the fusion does not read that branch."""
        return self._nothing_ND if self.short is None else self._windowed(self.short, None)

    @cached_property
    def twin_ND(self) -> Tensor:
        """States of the short encoder over the long view: for a control that takes the window away and nothing else."""
        assert self.short is not None, "a fusion that reads the short encoder names that branch"
        return self.short(self.rows, self.at) if self.overlap else self._before(self.short)

    def short_from(self, initial_ND: Tensor) -> Tensor:
        """Short-term states of an encoder that begins from a given state, equal where windows begin together."""
        assert self.short is not None
        return self._windowed(self.short, initial_ND)

    @property
    def met(self) -> list[Tensor]:
        """The states ``(N, D)`` that were asked for so far, in the order long, twin, short; none is computed for it."""
        encoders = {"long_ND": self.long, "twin_ND": self.short, "short_ND": self.short}
        return [vars(self)[name] for name, encoder in encoders.items() if encoder is not None and name in vars(self)]

    @property
    def user_N(self) -> Tensor:
        """The user of each asked position."""
        return self.batch.users_B[self.at.row_N]

    def gap_N(self, n_items: int) -> Tensor:
        """Seconds between the latest interaction that is seen and the moment for which is asked, at least 0.

        Args:
            n_items: catalogue size: an item above it is hidden, has not been seen, and its time does not count.
        """
        seen = Positions(self.at.row_N, self._seen_N(n_items))
        return (self.at.of(self.batch.now_BT) - seen.of(self.batch.times_BT)).clamp(min=0)

    def last_ND(self, n_items: int) -> Tensor:
        """The embedded latest item that is seen; ``n_items`` as for ``gap_N``."""
        return take(self.rows.x_BTD, self.at.row_N * self.rows.shape[1] + self._seen_N(n_items))

    @cached_property
    def window(self) -> tuple[Tensor, Tensor]:
        """The embedded items of each window, ``(N, L, D)``, right-padded, and which are real, ``(N, L)``."""
        length_N = self.end_N - self.start_N + 1
        step_L = torch.arange(max(1, int(length_N.max())), device=length_N.device)
        real_NL = step_L < length_N[:, None]
        position_NL = torch.minimum(self.start_N[:, None] + step_L, self.at.position_N[:, None])
        return take(self.rows.x_BTD, self.at.row_N[:, None] * self.rows.shape[1] + position_NL), real_NL

    def _before(self, encoder: Encoder) -> Tensor:
        before = Positions(self.at.row_N, (self.start_N - 1).clamp(min=0))
        state_ND = encoder(self.rows, before)
        return state_ND if encoder.reach == 0 else state_ND * (self.start_N > 0)[:, None]

    def _windowed(self, encoder: Encoder, initial_ND: Tensor | None) -> Tensor:
        if self._end_N is None:
            return encoder(self.rows, self.at, self.start_N, initial_ND)
        ends = Positions(self.at.row_N, torch.maximum(self._end_N, self.start_N))
        return encoder(self.rows, ends, self.start_N, initial_ND) * (self._end_N >= self.start_N)[:, None]

    def _seen_N(self, n_items: int) -> Tensor:
        """Latest position up to the asked one whose item is not hidden; 0 where all are."""
        items_BT = self.batch.items_BT
        step_T = torch.arange(items_BT.shape[1], device=items_BT.device)
        return self.at.of(torch.where(items_BT <= n_items, step_T, 0).cummax(dim=1).values)

    @property
    def _nothing_ND(self) -> Tensor:
        return self.rows.x_BTD.new_zeros(()).expand(len(self.at), self.rows.x_BTD.shape[-1])
