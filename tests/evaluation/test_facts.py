"""What slices need to know of a held-out item, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from research.data.split import LeaveOneOut
from research.evaluation.facts import with_facts
from research.evaluation.table import Ranks


def test_popularity_and_repeats_by_hand(make_histories) -> None:
    # Leave-one-out trains on all but the last two: [1, 2], [1, 3], [1, 2, 2]. Items 1 and 2 count 3, item 3 counts 1,
    # items 4 and 5 none. More frequent than 1 and 2: none of five; than 3: two; than 4 and 5: three.
    histories = make_histories([1, 2, 4, 2], [1, 3, 4, 3], [1, 2, 2, 1, 5])
    split = LeaveOneOut()(histories)
    chosen = np.array([2, 0, 1])
    zeros = np.zeros(3)
    ranks = Ranks.of_queries(histories, split.test, chosen, zeros, zeros, zeros + 4, weight_B2=None)
    made = with_facts(ranks, histories, split)
    assert made.target.tolist() == [5, 2, 3]
    assert made.popularity is not None and made.repeat is not None
    assert made.popularity.tolist() == pytest.approx([0.6, 0.0, 0.4])
    assert made.repeat.tolist() == [False, True, True]
    stored = made.to_arrow()
    assert stored["repeat"].to_pylist() == [False, True, True]
    assert "popularity" not in ranks.to_arrow().column_names
