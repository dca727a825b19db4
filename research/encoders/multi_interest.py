"""Several interests of one user by self-attention, after ComiRec-SA (Cen et al., KDD 2020, arXiv 2005.09347).

::

    s_j = W2 tanh(W1 (x_j + p_j))   one score an interest,   A_t = softmax_{j<=t}(s_j),   V_t = A_t x    (K, D)

Departures: causal, so that every position of a row is trained in one pass (the paper reads whole prefixes); positions
count from the oldest item of the view.

Shape legend: B rows, T positions, Q reading positions, K interests, D width,
E = Q * K.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from research.encoders.dropout import Dropout
from research.encoders.reader import Reader, seen
from research.encoders.rows import Rows
from research.errors import UserError
from research.sizes import Sizes


class MultiInterest(Reader):
    """States are K vectors side by side, ``(..., K * D)``; which of them counts is for the fusion to say."""

    def __init__(self, sizes: Sizes, *, interests: int = 4, inner: int | None = None, dropout: float = 0.1) -> None:
        """Make the encoder.

        Args:
            sizes: of the run.
            interests: K.
            inner: width of the hidden layer of the scores; ``None`` is four times the width, as in the paper's code.
            dropout: rate on the items.

        Raises:
            UserError: a value is out of its range.
        """
        super().__init__()
        if interests < 1 or (inner is not None and inner < 1):
            raise UserError(f"interests={interests}, inner={inner}: whole numbers of at least 1 (inner may be null).")
        self.interests, self.width = interests, sizes.width
        inner = 4 * sizes.width if inner is None else inner
        self.positions = nn.Embedding(sizes.max_length, sizes.width)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.hidden = nn.Linear(sizes.width, inner, bias=False)
        self.score = nn.Linear(inner, interests, bias=False)
        self.dropout = Dropout(dropout)

    def read(self, rows: Rows, position_B: Tensor | None) -> Tensor:
        x_BTD = self.dropout(rows.x_BTD * self.width**0.5)
        score_BTK = self.score(torch.tanh(self.hidden(x_BTD + self.positions.weight[: rows.shape[1]])))
        score_BQKT = score_BTK.transpose(1, 2)[:, None].masked_fill(~seen(rows, position_B)[:, :, None], -torch.inf)
        # The interests of all positions are one product: attention kernels would repeat the items for each interest.
        v_BED = score_BQKT.softmax(3).flatten(1, 2) @ x_BTD
        return v_BED.unflatten(1, score_BQKT.shape[1:3]).flatten(2)
