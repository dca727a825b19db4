"""Attention over the states of a recurrent network by a query that grows out of the user's own vector.

::

    q_t = GRU(x_1 .. x_t; from u)    s_j = Time4LSTM(x_1 .. x_j)
    a_tj = softmax_{j<=t}( q_t . W s_j ),   h_t = sum_j a_tj s_j

The short-term side of CLSR (Zheng et al., WWW 2022, arXiv 2202.13090), after its authors' code: a user brings an
intention u to the session, and every item moves it. Departures: query and state meet in a product instead of in neurons
(80, 40) over [W s; q; W s - q; W s * q], which are hidden vectors for every pair of positions; the candidate is no part
of the query, so that one state serves the whole catalogue; those of ``time_lstm``.

Shape legend: B rows, T positions, D width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from research.encoders.base import Encoder
from research.encoders.gru import GRU
from research.encoders.rows import Rows
from research.encoders.time_lstm import TimeLSTM
from research.sizes import Sizes


class EvolvingQuery(Encoder):
    """Two recurrent networks over the view, one that asks and one that is asked."""

    causal: ClassVar[bool] = True
    needs_times: ClassVar[bool] = True

    def __init__(self, sizes: Sizes, *, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run; one vector for each of its users.
            dropout: rate on the items and states of both networks.

        Raises:
            UserError: the rate is out of its range.
        """
        super().__init__()
        self.users = nn.Embedding(sizes.n_users, sizes.width)
        nn.init.normal_(self.users.weight, std=0.02)
        self.query, self.memory = GRU(sizes, dropout=dropout), TimeLSTM(sizes, dropout=dropout)
        self.key = nn.Linear(sizes.width, sizes.width, bias=False)

    @property
    def user_table(self) -> Tensor:
        """Where each user's query begins."""
        return self.users.weight

    def encode(self, rows: Rows) -> Tensor:
        assert rows.users_B is not None
        query_BTD = self.query.encode(replace(rows, initial_BD=self.users(rows.users_B)))
        state_BTD = self.memory.encode(replace(rows, initial_BD=None))
        q_B1TD, k_B1TD, v_B1TD = query_BTD[:, None], self.key(state_BTD)[:, None], state_BTD[:, None]
        return F.scaled_dot_product_attention(q_B1TD, k_B1TD, v_B1TD, is_causal=True, scale=1.0).squeeze(1)
