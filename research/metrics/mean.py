"""A ranking metric over many batches and processes: sums of users, never an average of averages."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric

from research.metrics.ranking import metric, parse


class MeanMetric(Metric):
    """Mean over users of one metric, as sum and count; both merge exactly across processes."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self, name: str) -> None:
        """Choose the metric.

        Args:
            name: such as ``"ndcg@10"``.

        Raises:
            UserError: an unknown name.
        """
        super().__init__()
        parse(name)
        self.name = name
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        # Lightning casts metrics with the module; a sum of a million users wants all its digits.
        self.set_dtype(torch.float64)

    def update(self, better_N: Tensor, ties_N: Tensor) -> None:
        """Add users by the two counts of ``research.metrics.ranking``."""
        values = metric(self.name, better_N.cpu().numpy(), ties_N.cpu().numpy())
        self.total += float(values.sum())
        self.count += len(values)

    def compute(self) -> Tensor:
        """The mean over all users so far; NaN without users."""
        return self.total / self.count
