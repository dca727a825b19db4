"""What is known of each held-out item beside its rank, for slices: is it frequent, and has the user had it before?

Shape legend: Q queries, I items.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from research.data.audit import repeated
from research.data.histories import Histories
from research.data.split import Split
from research.evaluation.table import Ranks


def with_facts(ranks: Ranks, histories: Histories, split: Split) -> Ranks:
    """The ranks with ``popularity`` and ``repeat``, which are the same for every model."""
    return replace(
        ranks,
        popularity=_popularity(histories, split)[ranks.target - 1],
        repeat=repeated(histories, split.test)[ranks.query],
    )


def _popularity(histories: Histories, split: Split) -> np.ndarray:
    """``(I,)`` share of the items with more training interactions than each; 0 for the most frequent."""
    count_I = split.train.count(histories)
    return ((len(count_I) - np.searchsorted(np.sort(count_I), count_I, side="right")) / len(count_I)).astype(np.float32)
