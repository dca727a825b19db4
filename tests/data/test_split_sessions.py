"""Whole sessions held out: by hand, and where sessions begin against a plain loop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.data.splits.session_wise import SessionWise
from research.data.splits.sessions import begins_by_column, begins_by_gap
from research.errors import UserError

MINUTE = 60
# User 0: sessions of 2, 1, 3 and 2 items. User 1: two sessions. User 2: three, the last of one item.
TIMES = [
    [0, 30, 100, 200, 210, 240, 300, 301],
    [0, 31, 32],
    [5, 50, 60, 100],
]


@pytest.fixture
def histories(make_histories):
    times = [[minute * MINUTE for minute in row] for row in TIMES]
    return make_histories([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3], [4, 5, 6, 7], times=times)


def rows(queries) -> list[tuple[int, int, int, int]]:
    columns = (queries.user, queries.start, queries.stop, queries.target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


class TestByGap:
    def test_by_hand(self, histories) -> None:
        split = SessionWise(gap=30)(histories)
        assert split.train.positions.tolist() == [0, 1, 2, 8, 9, 10, 11], "user 1 has too few sessions to be asked"
        assert rows(split.validation) == [(0, 0, 4, 4), (0, 0, 5, 5), (2, 11, 13, 13)]
        assert rows(split.test) == [(0, 0, 7, 7)], "a last session of one item has nothing to ask for"
        assert split.dropped.positions.tolist() == [3, 12, 6, 14]
        assert split.name == "session-wise gap 30"

    def test_a_pause_of_exactly_the_gap_stays_within(self, histories) -> None:
        begins = begins_by_gap(histories, 30).nonzero()[0].tolist()
        assert begins == [0, 2, 3, 6, 8, 9, 11, 12, 14]

    def test_mistakes(self, histories, make_histories) -> None:
        with pytest.raises(UserError, match=r"no user has 3 sessions.*smaller split\.gap"):
            SessionWise(gap=1000)(histories)
        with pytest.raises(UserError, match=r"every validation session has a single item"):
            SessionWise(gap=0.001)(histories)
        with pytest.raises(UserError, match=r"no times.*split\.column=session"):
            SessionWise()(make_histories([1, 2, 3], has_times=False))
        with pytest.raises(UserError, match=r"split\.gap is 0"):
            SessionWise(gap=0)
        with pytest.raises(UserError, match=r"no column 'visit'.*Its columns: none"):
            SessionWise(column="visit")(histories)


class TestByColumn:
    def with_sessions(self, histories, *codes: int):
        return replace(histories, columns={"session": np.array(codes, dtype=np.uint8)})

    def test_by_hand_without_times_and_with_ids_that_users_share(self, make_histories) -> None:
        histories = make_histories([1, 2, 3, 4, 5, 6], [1, 2], [3, 4, 5, 6], has_times=False)
        split = SessionWise(column="session")(self.with_sessions(histories, 1, 2, 2, 3, 3, 3, 3, 3, 1, 2, 2, 3))
        assert split.train.positions.tolist() == [0, 6, 7, 8]
        assert rows(split.validation) == [(0, 0, 2, 2), (2, 8, 10, 10)]
        assert rows(split.test) == [(0, 0, 4, 4), (0, 0, 5, 5)]
        assert split.dropped.positions.tolist() == [1, 9, 3, 11]
        assert split.name == "session-wise column session"

    def test_sessions_that_overlap_are_one(self, make_histories) -> None:
        histories = make_histories([1, 2, 3, 4, 5, 6, 7])
        begins = begins_by_column(self.with_sessions(histories, 1, 2, 1, 3, 4, 4, 3), "session")
        assert begins.nonzero()[0].tolist() == [0, 3]

    def test_an_interaction_without_a_session_is_an_error(self, histories) -> None:
        codes = [1] * len(histories.items)
        codes[4] = 0
        with pytest.raises(UserError, match="unknown for 1 interactions"):
            SessionWise(column="session")(self.with_sessions(histories, *codes))

    @settings(deadline=None)
    @given(codes=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=8), min_size=1, max_size=5))
    def test_by_a_loop(self, codes: list[list[int]], make_histories) -> None:
        histories = make_histories(*([1] * len(row) for row in codes))
        flat = [code for row in codes for code in row]
        expected = [not set(row[:i]) & set(row[i:]) for row in codes for i in range(len(row))]
        assert begins_by_column(self.with_sessions(histories, *flat), "session").tolist() == expected
