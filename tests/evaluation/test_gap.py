"""The time since the last interaction, as it is stored with the ranks."""

from __future__ import annotations

import numpy as np

from research.data.split import Queries
from research.evaluation.table import Ranks


def ranks(histories) -> Ranks:
    """User 0 is asked for after two interactions, user 1 after none."""
    queries = Queries(user=np.array([0, 1]), start=np.array([0, 3]), stop=np.array([2, 3]), target=np.array([2, 3]))
    counts = [np.array([1, 1])] * 3
    return Ranks.of_queries(histories, queries, np.array([0, 1]), *counts, weight_B2=None)


def test_gap_is_from_the_last_seen_to_the_held_out_interaction(make_histories) -> None:
    histories = make_histories([1, 2, 3], [1, 2], times=[[100, 160, 1000], [5, 9]])
    assert ranks(histories).to_arrow().to_pydict()["gap"] == [840.0, None]


def test_no_gap_where_times_are_not_real(make_histories) -> None:
    assert "gap" not in ranks(make_histories([1, 2, 3], [1, 2], has_times=False)).to_arrow().column_names
