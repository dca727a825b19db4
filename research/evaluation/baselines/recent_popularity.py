"""The most frequent items of the last days before each query; in a time split it beats many a trained model."""

from __future__ import annotations

import numpy as np

from research.data.histories import Histories
from research.data.split import Queries, Spans
from research.errors import UserError
from research.evaluation.baselines.base import Baseline


class RecentPopularity(Baseline):
    """``score(i)`` = training interactions of item i in ``(t - days, t]``, t the time of the user's last known item.

    Only interactions up to that time count, so this baseline does not look ahead even where the split does.
    """

    def __init__(self, *, days: float = 7.0) -> None:
        """Set the span.

        Args:
            days: days of 86,400 seconds, above 0.

        Raises:
            UserError: ``days`` is not above 0.
        """
        if days <= 0:
            raise UserError(f"baseline.days={days}: more than 0 days.")
        self.days = days

    def fit(self, histories: Histories, train: Spans) -> None:
        if not histories.has_times:
            raise UserError(f"baseline=recent_popularity needs times, but {histories.name!r} has only an order.")
        position_N = train.positions
        order = np.argsort(histories.times[position_N], kind="stable")
        self.times_N = histories.times[position_N][order]
        self.items_N = histories.items[position_N][order]

    def score(self, histories: Histories, queries: Queries, chosen_B: np.ndarray) -> np.ndarray:
        now_B = histories.times[queries.stop[chosen_B] - 1]
        first_B = np.searchsorted(self.times_N, now_B - int(self.days * 86_400), side="right")
        stop_B = np.searchsorted(self.times_N, now_B, side="right")
        size = histories.n_items + 1
        counts = [np.bincount(self.items_N[a:b], minlength=size)[1:] for a, b in zip(first_B, stop_B, strict=True)]
        return np.stack(counts).astype(np.float32)
