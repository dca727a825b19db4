"""EASE: a linear autoencoder in closed form (Steck, WWW 2019, arXiv 1905.03375). Order and time play no part."""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.baselines.base import Baseline
from research.evaluation.blocks import past_items

LARGEST = 20_000
"""Items for which an (I, I) float64 inverse still fits a workstation: 3.2 GB."""


class Ease(Baseline):
    """``B = I - P / diag(P)`` with ``P = (X'X + l2)^-1`` (the paper's equation 8), ``score = x B``."""

    def __init__(self, *, l2: float = 250.0) -> None:
        """Set the penalty.

        Args:
            l2: added to the diagonal, above 0.

        Raises:
            UserError: ``l2`` is not above 0.
        """
        if l2 <= 0:
            raise UserError(f"baseline.l2={l2}: above 0, for example 250.")
        self.l2 = l2

    def fit(self, histories: Histories, train: Spans) -> None:
        if histories.n_items > LARGEST:
            raise UserError(f"baseline=ease inverts an items x items matrix; {histories.n_items} items are too many.")
        from scipy.sparse import csr_array

        position_N = train.positions
        user_N = np.repeat(train.user, train.length)
        x_UI = csr_array(
            (np.ones(len(position_N)), (user_N, histories.items[position_N] - 1)),
            shape=(histories.n_users, histories.n_items),
        )
        x_UI.data[:] = 1.0  # repeated interactions count once
        gram_II = (x_UI.T @ x_UI).toarray()
        gram_II[np.diag_indices_from(gram_II)] += self.l2
        inverse_II = np.linalg.inv(gram_II)
        self.weight_II = -inverse_II / np.diag(inverse_II)
        np.fill_diagonal(self.weight_II, 0.0)

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        x_BI = np.zeros((len(chosen_B), histories.n_items))
        row_S, item_S = past_items(histories, queries, chosen_B)
        x_BI[row_S, item_S - 1] = 1.0
        return (x_BI @ self.weight_II).astype(np.float32)
