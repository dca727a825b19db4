"""The most frequent items of the training data, the same for every user."""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.evaluation.baselines.base import Baseline


class Popularity(Baseline):
    """``score(i)`` = training interactions of item i."""

    def fit(self, histories: Histories, train: Spans) -> None:
        self.count_I = train.count(histories).astype(np.float32)

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.count_I, (len(chosen_B), len(self.count_I))).copy()
