"""Popularity counted over all interactions, validation and test targets among them: a leak, for published tables only.

S3-Rec's PopRec row is met to the fourth digit with these counts on all four of its files, and missed by a quarter on
Beauty with those of the training data.
"""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Spans
from research.evaluation.baselines.popularity import Popularity


class PopularityOfAll(Popularity):
    """``score(i)`` = interactions of item i, whatever they are used for."""

    def fit(self, histories: Histories, train: Spans) -> None:
        self.count_I = np.bincount(histories.items, minlength=histories.n_items + 1)[1:].astype(np.float32)
