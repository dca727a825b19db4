"""A learned vector for each user, whatever the history: the long-term side of LSTUR and HGN, and of factorisation.

A user who is not in the training data keeps an initial vector, which is small.

Shape legend: B rows, T positions, N asked positions, D width.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.data.batch import Positions
from research.encoders.base import Encoder
from research.encoders.dropout import Dropout
from research.encoders.rows import Rows
from research.sizes import Sizes


class User(Encoder):
    """The same state at every position and for every window."""

    causal: ClassVar[bool] = True
    reach: int | None = 0

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the table.

        Args:
            sizes: of the run; one vector for each of its users.
            dropout: rate on the vector.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.width = sizes.width
        self.table = nn.Embedding(sizes.n_users, sizes.width)
        nn.init.normal_(self.table.weight, std=0.02)  # as item vectors are, and read at the same scale
        self.dropout = Dropout(dropout)

    @property
    def user_table(self) -> Tensor:
        """The vectors."""
        return self.table.weight

    def encode(self, rows: Rows) -> Tensor:
        assert rows.users_B is not None
        return self._of(rows.users_B)[:, None].expand(-1, rows.shape[1], -1)

    def states(self, rows: Rows, at: Positions) -> Tensor:
        assert rows.users_B is not None
        return self._of(rows.users_B[at.row_N])

    def short_view(self, rows: Rows, at: Positions, start_N: Tensor, initial_ND: Tensor | None = None) -> Tensor:
        return self.states(rows, at)  # no window to cut: nothing of it would be read

    def _of(self, user_N: Tensor) -> Tensor:
        return self.dropout(F.embedding(user_N, self.table.weight) * self.width**0.5)
