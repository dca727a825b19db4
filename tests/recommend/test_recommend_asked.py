"""A user's history and a typed one as the one query of a dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from research.errors import UserError
from research.recommend.asked import Asked, seconds_of


@pytest.fixture
def histories(make_histories):
    """Users u0 and u1; the data end at 900; a scenario is known of each interaction."""
    made = make_histories([1, 2, 3], [3, 1], times=[[10, 20, 900], [5, 800]])
    return replace(made, columns={"scenario": np.array([1, 2, 1, 2, 2], dtype=np.uint8)})


def test_a_user_is_asked_for_at_the_time_of_the_last_interaction(histories) -> None:
    alone, query = Asked.of_user(histories, "u1").query(histories)
    assert alone.items[:2].tolist() == [3, 1] and alone.times[:2].tolist() == [5, 800]
    assert alone.columns["scenario"][:2].tolist() == [2, 2]
    assert (query.user.tolist(), query.start.tolist(), query.stop.tolist()) == ([1], [0], [2])
    assert alone.times[query.target].tolist() == [800]


def test_or_after_it(histories) -> None:
    for asked in (Asked.of_user(histories, "u1"), Asked.of_items(histories, np.array([3, 1]))):
        alone, query = replace(asked, after=3600).query(histories)
        assert int(alone.times[query.target][0]) == int(asked.times[-1]) + 3600 and query.stop.tolist() == [2]
    then = replace(Asked.of_user(histories, "u1"), after=3600).then(histories, 4)
    assert then.times.tolist() == [5, 800, 860] and then.after == 3600


@pytest.mark.parametrize(
    ("words", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5 d", 129_600), ("1w", 604_800)]
)
def test_a_time_in_words(words: str, seconds: int) -> None:
    assert seconds_of(words) == seconds


@pytest.mark.parametrize("words", ["", "3", "h", "-2h", "2 years", "1e9d"])
def test_what_is_no_time_is_refused(words: str) -> None:
    with pytest.raises(UserError, match="such as 90s"):
        seconds_of(words)


def test_what_is_typed_lies_a_minute_apart_and_ends_with_the_data(histories) -> None:
    typed = Asked.of_items(histories, np.array([2, 1, 2]))
    assert typed.user is None and typed.times.tolist() == [780, 840, 900]
    assert typed.columns["scenario"].tolist() == [0, 0, 0]
    ordered = Asked.of_items(replace(histories, has_times=False), np.array([2, 1]))
    assert ordered.times.tolist() == [0, 0]


def test_one_more_stands_a_minute_behind_the_last(histories) -> None:
    user = Asked.of_user(histories, "u0").then(histories, 4)
    assert user.items.tolist() == [1, 2, 3, 4] and user.times.tolist() == [10, 20, 900, 960] and user.user == 0
    assert user.columns["scenario"].tolist() == [1, 2, 1, 0]
    nobody = Asked.of_items(histories, np.array([], dtype=np.int64)).then(histories, 4)
    assert nobody.items.tolist() == [4] and nobody.times.tolist() == [900] and nobody.user is None


def test_an_unknown_user_is_told_who_is_near(histories) -> None:
    with pytest.raises(UserError, match=r"no user 'u11'\. Near are u1"):
        Asked.of_user(histories, "u11")
    with pytest.raises(UserError, match=r"no user 'x'\. Users are called, for instance, u0, u1"):
        Asked.of_user(histories, "x")
