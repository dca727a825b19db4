"""Whole seconds that keep a finer order, and written times that are read as UTC on any machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import polars as pl
import pytest

from research.data.clock import read_times, whole_seconds
from research.errors import UserError


def test_milliseconds_decide_the_order_before_they_are_cut() -> None:
    rows = pl.DataFrame({"item": ["c", "a", "b", "d", "e"], "time": [2_999, 2_000, 2_500, 2_999, 1_999]})
    assert whole_seconds(rows, 1000).rows() == [("e", 1), ("a", 2), ("b", 2), ("c", 2), ("d", 2)]


def test_decimal_seconds() -> None:
    rows = pl.DataFrame({"item": ["b", "a"], "time": [1396437466.94, 1396437466.2]})
    assert whole_seconds(rows).rows() == [("a", 1396437466), ("b", 1396437466)]


def test_times_before_1970_are_cut_downwards() -> None:
    assert whole_seconds(pl.DataFrame({"time": [-1, -1000, -1001]}), 1000)["time"].to_list() == [-2, -1, -1]
    assert whole_seconds(pl.DataFrame({"time": [-0.5]}))["time"].to_list() == [-1]


@pytest.mark.parametrize(
    ("written", "text", "moment"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2010-10-19T23:55:27Z", datetime(2010, 10, 19, 23, 55, 27)),
        ("%a %b %d %H:%M:%S +0000 %Y", "Tue Apr 03 18:00:09 +0000 2012", datetime(2012, 4, 3, 18, 0, 9)),
        ("%m/%d/%Y %I:%M:%S %p", "11/9/2019 12:05:58 AM", datetime(2019, 11, 9, 0, 5, 58)),
        ("%m/%d/%Y %I:%M:%S %p", "11/13/2019 12:00:01 PM", datetime(2019, 11, 13, 12, 0, 1)),
        ("%Y-%m-%d", "2017-12-17", datetime(2017, 12, 17)),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_written_times_are_utc_wherever_the_machine_stands(
    monkeypatch: pytest.MonkeyPatch, written: str, text: str, moment: datetime, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        got = read_times(pl.DataFrame({"time": [text]}), written, "x")["time"].to_list()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert got == [int(moment.replace(tzinfo=UTC).timestamp())]


def test_written_fractions_decide_the_order_and_may_be_absent() -> None:
    rows = pl.DataFrame({"item": [1, 2, 3], "time": [f"2014-04-07T10:51:09{f}Z" for f in (".277", "", ".3")]})
    assert read_times(rows, "%Y-%m-%dT%H:%M:%S%.fZ", "x")["item"].to_list() == [2, 1, 3]


def test_whole_written_seconds_leave_the_files_order() -> None:
    rows = pl.DataFrame({"item": [1, 2], "time": ["2014-04-07", "2014-04-06"]})
    assert read_times(rows, "%Y-%m-%d", "x")["item"].to_list() == [1, 2]


def test_times_in_another_notation_are_counted() -> None:
    rows = pl.DataFrame({"time": ["2014-04-07", "7.4.2014", ""]})
    with pytest.raises(UserError, match=r"x\.txt: 2 times are not written as %Y-%m-%d, such as '7\.4\.2014'"):
        read_times(rows, "%Y-%m-%d", "x.txt")
