"""Which rows are kept: each step by hand, the k-core against a naive loop, and the trace."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.data.interactions import spooled
from research.data.prepare import prepare
from research.data.selection import Selection, Step
from research.data.sources.files import Files
from research.errors import UserError

# In file order, which is not the order in time: user a meets x at 5, y at 6, x at 7 and again at 7, y at 9.
ROWS = pl.DataFrame(
    {
        "user": ["a", "b", "a", "a", "a", "b", "a"],
        "item": ["y", "x", "x", "x", "x", "x", "y"],
        "time": [9, 1, 7, 7, 5, 2, 6],
        "rating": [5.0, 4.0, 3.5, 5.0, 1.0, 4.5, 4.0],
    }
)


def select(selection: Selection, rows: pl.DataFrame, name: str = "by hand") -> tuple[list[int], list[Step]]:
    """Row numbers that are kept, and the trace."""
    with tempfile.TemporaryDirectory() as folder:
        kept_N, trace = selection(spooled(name, [rows], Path(folder), needed=selection.needs))
    return np.flatnonzero(kept_N).tolist(), trace


def kept(selection: Selection, rows: pl.DataFrame = ROWS) -> list[int]:
    return select(selection, rows)[0]


class TestSteps:
    def test_the_default_keeps_everything(self) -> None:
        rows, trace = select(Selection(), ROWS)
        assert rows == list(range(7))
        assert trace == [Step("raw", 7, 2, 2)]

    def test_ratings_from_a_threshold_on(self) -> None:
        assert kept(Selection(min_rating=4)) == [0, 1, 3, 5, 6]

    def test_a_rating_that_is_missing_is_not_enough(self) -> None:
        rows = pl.DataFrame({"user": [1, 1], "item": [1, 2], "rating": [None, 4.0]})
        assert kept(Selection(min_rating=0.5), rows) == [1]

    def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(self) -> None:
        day = 86_400
        rows = pl.DataFrame({"user": [1] * 5, "item": [1, 2, 3, 4, 5], "time": [0, day - 1, day, 2 * day - 1, 2 * day]})
        assert kept(Selection(since="1970-01-02", until="1970-01-03"), rows) == [2, 3]
        assert kept(Selection(since="1970-01-02T23:59:59"), rows) == [3, 4]
        assert kept(Selection(until="1970-01-02T01:00+01:00"), rows) == [0, 1]
        assert select(Selection(since="1970-01-02"), rows)[1][1] == Step("since 1970-01-02", 3, 1, 3)

    def test_users_and_items_are_drawn_by_name(self) -> None:
        numbers = np.random.default_rng(0).permutation(np.repeat(np.arange(2_000), 3))
        rows = pl.DataFrame({"user": numbers, "item": np.arange(6_000) % 70})

        def left(column: str, selection: Selection, table: pl.DataFrame = rows) -> set[int]:
            return set(table[column].gather(kept(selection, table)).to_list())

        fifth = left("user", Selection(user_share=0.2))
        assert len(fifth) == 400 and len(kept(Selection(user_share=0.2), rows)) == 1_200, "all rows of a user, or none"
        assert left("user", Selection(user_share=0.2), rows.reverse()) == fifth
        assert fifth < left("user", Selection(user_share=0.5))
        assert fifth != left("user", Selection(user_share=0.2, draw=1))
        assert len(left("item", Selection(item_share=0.5, draw=3))) == 35
        both = kept(Selection(user_share=0.2, item_share=0.5), rows)
        assert both == sorted({*kept(Selection(user_share=0.2), rows)} & {*kept(Selection(item_share=0.5), rows)})

    @pytest.mark.parametrize(
        ("settings_", "message"),
        [
            ({"user_share": 0.0}, r"selection\.user_share=0\.0: a share above 0, up to 1"),
            ({"item_share": 1.5}, r"selection\.item_share=1\.5"),
            ({"since": "May"}, r"selection\.since is 'May'; write it as 2017-12-03"),
            ({"since": "2020-01-02", "until": "2020-01-01"}, "is not before"),
        ],
    )
    def test_settings_that_make_no_sense(self, settings_: dict[str, object], message: str) -> None:
        with pytest.raises(UserError, match=message):
            Selection(**settings_)  # type: ignore[arg-type]

    def test_a_period_needs_times(self) -> None:
        with pytest.raises(UserError, match="by hand has an order but no times"):
            kept(Selection(since="2020-01-01"), pl.DataFrame({"user": [1], "item": [1]}))

    def test_first_and_last_of_equal_pairs_are_those_in_time(self) -> None:
        assert kept(Selection(duplicates="first")) == [1, 4, 6]
        assert kept(Selection(duplicates="last")) == [0, 3, 5]

    def test_repeats_in_a_row_are_those_in_time(self) -> None:
        # In time: user a x5 y6 x7 x7 y9: the second x7 goes. User b: x1 x2: the second goes.
        assert kept(Selection(consecutive="drop")) == [0, 1, 2, 4, 6]

    def test_without_times_the_file_is_the_order(self) -> None:
        # In the file user a meets y x x x y and user b x x.
        rows = ROWS.drop("time")
        assert kept(Selection(consecutive="drop"), rows) == [0, 1, 2, 6]
        assert kept(Selection(duplicates="last"), rows) == [4, 5, 6]

    def test_the_steps_run_in_the_order_of_the_fields(self) -> None:
        # 4 stars and more leave y9 x1 x7 x2 y6; no repeats in time: a: y6 x7 y9, b: x1.
        selection = Selection(min_rating=4, consecutive="drop", user_core=2)
        assert kept(selection) == [0, 3, 6]
        _, trace = select(selection, ROWS)
        assert [(step.rows, step.users, step.items) for step in trace] == [(7, 2, 2), (5, 2, 2), (4, 2, 2), (3, 1, 2)]
        assert str(trace[1]) == "rating of at least 4: 5 interactions, 2 users, 2 items"


def pairs(*edges: str) -> pl.DataFrame:
    return pl.DataFrame({"user": [edge[0] for edge in edges], "item": [edge[1] for edge in edges]})


# Item 4 has one user; without it user c has one item; without that item 3 has one user.
CHAIN = pairs("a1", "a2", "b1", "b2", "c3", "c4", "d3", "d1")


class TestCore:
    def test_one_pass_and_all_passes_differ(self) -> None:
        assert kept(Selection(user_core=2, item_core=2, passes=1), CHAIN) == [0, 1, 2, 3, 4, 6, 7]
        assert kept(Selection(user_core=2, item_core=2), CHAIN) == [0, 1, 2, 3]

    def test_the_trace_has_a_line_for_every_pass(self) -> None:
        _, trace = select(Selection(user_core=2, item_core=2), CHAIN)
        assert [(step.rows, step.users, step.items) for step in trace] == [
            (8, 4, 4),
            (7, 4, 3),  # c4 goes
            (6, 3, 3),  # c3 goes, as user c has one item
            (5, 3, 2),  # d3 goes, as item 3 has one user
            (4, 2, 2),  # d1 goes, as user d has one item
        ]
        assert trace[4].name == "pass 4: users of at least 2, items of at least 2"

    def test_users_and_items_are_counted_before_either_is_dropped(self) -> None:
        # User b has 1 interaction and item 2 has 2, one of them b's: in one pass item 2 stays with one.
        assert kept(Selection(user_core=2, item_core=2, passes=1), pairs("a1", "a2", "b2", "c1", "c1")) == [0, 1, 3, 4]

    def test_one_of_the_two_alone(self) -> None:
        assert kept(Selection(item_core=2), CHAIN) == [0, 1, 2, 3, 4, 6, 7]
        assert kept(Selection(user_core=3), pairs("a1", "a1", "a2", "b1")) == [0, 1, 2]

    @settings(deadline=None)
    @given(
        edges=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40),
        k=st.integers(2, 4),
        m=st.integers(1, 4),
    )
    def test_it_is_what_a_naive_loop_leaves(self, edges: list[tuple[int, int]], k: int, m: int) -> None:
        left = list(enumerate(edges))
        while True:  # drop one row at a time: the k-core does not depend on the order of the removals
            users, items = [e[0] for _, e in left], [e[1] for _, e in left]
            wrong = [row for row in left if users.count(row[1][0]) < k or items.count(row[1][1]) < m]
            if not wrong:
                break
            left.remove(wrong[0])
        rows = pl.DataFrame(edges, schema=["user", "item"], orient="row")
        if left:
            assert kept(Selection(user_core=k, item_core=m), rows) == [number for number, _ in left]
        else:
            with pytest.raises(UserError, match="nothing is left"):
                select(Selection(user_core=k, item_core=m), rows)


class TestMistakes:
    def test_a_threshold_needs_ratings(self) -> None:
        with pytest.raises(UserError, match=r"clicks has no ratings.*min_rating=4"):
            select(Selection(min_rating=4), CHAIN, "clicks")

    @pytest.mark.parametrize("key", ["user_core", "item_core", "passes"])
    def test_negative_numbers_are_named(self, key: str) -> None:
        with pytest.raises(UserError, match=f"{key} is -1"):
            Selection(**{key: -1})  # type: ignore[arg-type]

    def test_when_nothing_is_left_the_trace_says_where_it_went(self) -> None:
        with pytest.raises(UserError, match=r"x: nothing is left. raw: 8 interactions.*pass 1.*Lower the thresholds"):
            select(Selection(user_core=9), CHAIN, "x")


class TestPrepared:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Files:
        path = tmp_path / "a.csv"
        path.write_text("user,item,time\n" + "".join(f"{u},{i},0\n" for u, i in CHAIN.rows()))
        return Files(path=str(path))

    def test_the_trace_is_announced_and_stored(self, source: Files, tmp_path: Path) -> None:
        said: list[str] = []
        selection = Selection(item_core=2)
        h = prepare(source, cache=tmp_path / "c", selection=selection, announce=said.append)
        assert (h.n_users, h.n_items, len(h.items)) == (4, 3, 7)
        one = "pass 1: users of at least 0, items of at least 2: 7 interactions, 4 users, 3 items"
        assert said == [f"raw: 8 interactions, 4 users, 4 items\n{one}"]
        (stored,) = (tmp_path / "c/prepared").glob("*/selection.json")
        assert [step["rows"] for step in json.loads(stored.read_text())] == [8, 7]

    def test_each_selection_has_prepared_data_of_its_own(self, source: Files, tmp_path: Path) -> None:
        sizes = [
            len(prepare(source, cache=tmp_path / "c", selection=one).items)
            for one in (None, Selection(item_core=2), Selection(user_core=2, item_core=2), None)
        ]
        assert sizes == [8, 7, 4, 8]
        assert len(list((tmp_path / "c/prepared").iterdir())) == 3
