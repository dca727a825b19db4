"""Windows: starts by hand, against plain loops, and the promises that every window keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from research.data.batch import Positions
from research.data.split import LeaveOneOut
from research.errors import UserError
from research.windows.all import All
from research.windows.calendar import Calendar, month_of
from research.windows.days import Days
from research.windows.duration import Duration
from research.windows.last_k import LastK
from research.windows.session import Session
from research.windows.starts import query_starts

pytestmark = pytest.mark.usefixtures("one_thread")

DAY = 86_400
# Seconds. Pauses: 10 min, 30 min exactly, 30 min and a second, none, 2 hours.
CLICKS = [0, 600, 2400, 4201, 4201, 11_401]


def every(batch) -> Positions:
    """All real positions."""
    return Positions.where(torch.arange(batch.items_BT.shape[1]) < batch.length_B[:, None])


def starts(window, make_batch, times: list[list[int]]) -> list[int]:
    batch = make_batch([[1] * len(row) for row in times], times)
    return window(batch, every(batch)).tolist()


class TestExact:
    @pytest.mark.parametrize(
        ("k", "expected"),
        [(1, [0, 1, 2, 3, 4, 5]), (3, [0, 0, 0, 1, 2, 3]), (6, [0] * 6), (100, [0] * 6)],
    )
    def test_last_k(self, make_batch, k: int, expected: list[int]) -> None:
        assert starts(LastK(k=k), make_batch, [CLICKS]) == expected

    @pytest.mark.parametrize(
        ("gap", "expected"),
        [
            (30.0, [0, 0, 0, 3, 3, 5]),  # a pause of exactly the gap stays
            (30 + 1 / 60, [0, 0, 0, 0, 0, 5]),
            (29.9, [0, 0, 2, 3, 3, 5]),
            (1.0, [0, 1, 2, 3, 3, 5]),  # two clicks in one second are one session, whatever the gap
            (1000.0, [0] * 6),
        ],
    )
    def test_session(self, make_batch, gap: float, expected: list[int]) -> None:
        assert starts(Session(gap=gap), make_batch, [CLICKS]) == expected

    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            (1.0, [0, 0, 1, 2, 2, 5]),  # an interaction of exactly a day ago is in
            (0.5, [0, 1, 1, 3, 3, 5]),
            (2.0, [0, 0, 0, 1, 1, 5]),
            (100.0, [0] * 6),
        ],
    )
    def test_days(self, make_batch, days: float, expected: list[int]) -> None:
        # Days 0, 1, 1.5, 2.5 (twice, so both see the same), 9.
        times = [0, DAY, DAY + DAY // 2, 2 * DAY + DAY // 2, 2 * DAY + DAY // 2, 9 * DAY]
        assert starts(Days(days=days), make_batch, [times]) == expected

    @pytest.mark.parametrize(
        ("length", "unit", "expected"),
        [
            (10, "minutes", [0, 0, 2, 3, 3, 5]),  # exactly ten minutes ago is in
            (9.99, "minutes", [0, 1, 2, 3, 3, 5]),
            (0.5, "hours", [0, 0, 1, 3, 3, 5]),  # exactly half an hour is in, a second more is out
            (2, "hours", [0, 0, 0, 0, 0, 3]),
            (1, "weeks", [0] * 6),
        ],
    )
    def test_duration(self, make_batch, length: float, unit, expected: list[int]) -> None:
        assert starts(Duration(length=length, unit=unit), make_batch, [CLICKS]) == expected

    @pytest.mark.parametrize(
        ("days", "unit", "length"), [(7.0, "weeks", 1), (1.5, "hours", 36), (0.25, "minutes", 360)]
    )
    def test_a_duration_says_what_days_say_in_other_units(self, make_batch, days, unit, length) -> None:
        times = np.cumsum(np.random.default_rng(1).integers(0, DAY, size=60)).tolist()
        expected = starts(Days(days=days), make_batch, [times])
        assert starts(Duration(length=length, unit=unit), make_batch, [times]) == expected
        assert starts(Duration(length=days, unit="days"), make_batch, [times]) == expected

    @pytest.mark.parametrize(
        ("page", "moments", "expected"),
        [
            ("day", ["2023-12-28 00:00", "2023-12-28 23:59", "2023-12-29 00:00", "2024-02-29 00:01"], [0, 0, 2, 3]),
            # 25 December 2023 and 1 January 2024 were Mondays.
            ("week", ["2023-12-24 23:59", "2023-12-25 00:00", "2023-12-31 23:59", "2024-01-01 00:00"], [0, 1, 1, 3]),
            ("month", ["2023-12-31 23:59", "2024-01-01 00:00", "2024-01-31 23:59", "2024-02-01 00:00"], [0, 1, 1, 3]),
            ("month", ["2023-01-15 00:00", "2024-01-15 00:00", "2024-02-29 12:00", "2024-03-01 00:00"], [0, 1, 2, 3]),
            ("day", ["1969-12-31 23:59", "1970-01-01 00:00", "1970-01-01 23:59", "1970-01-02 00:00"], [0, 1, 1, 3]),
        ],
    )
    def test_calendar(self, make_batch, page, moments: list[str], expected: list[int]) -> None:
        times = [int(np.datetime64(moment, "s").astype(np.int64)) for moment in moments]
        assert starts(Calendar(page=page), make_batch, [times]) == expected

    def test_months_by_numpy(self) -> None:
        """Every day of eight centuries, those before 1970 and the leap rules of 1700 to 2400 among them."""
        days = np.arange(np.datetime64("1650-01-01"), np.datetime64("2450-01-01"))
        expected = days.astype("datetime64[M]").astype(np.int64)
        got = month_of(torch.from_numpy(days.astype(np.int64))).numpy()
        assert np.array_equal(got - got[0], expected - expected[0])

    def test_all(self, make_batch) -> None:
        assert starts(All(), make_batch, [CLICKS]) == [0] * 6

    @pytest.mark.parametrize(
        "window",
        [LastK(k=2), Session(gap=30), Days(days=1 / 24), Duration(length=1), Calendar()],
        ids=["last_k", "session", "days", "duration", "calendar"],
    )
    def test_rows_have_windows_of_their_own(self, make_batch, window) -> None:
        rows = [CLICKS, [50_000], [0, 60, 9000]]
        alone = [start for row in rows for start in starts(window, make_batch, [row])]
        assert starts(window, make_batch, rows) == alone

    def test_only_what_is_asked_is_answered_in_its_order(self, make_batch) -> None:
        batch = make_batch([[1] * 6, [1] * 6], [CLICKS, CLICKS])
        at = Positions(torch.tensor([0, 1, 1]), torch.tensor([4, 1, 5]))
        assert LastK(k=3)(batch, at).tolist() == [2, 0, 3]
        assert Session(gap=30)(batch, at).tolist() == [3, 0, 5]
        assert Days(days=1 / 24)(batch, at).tolist() == [2, 0, 5]


class TestTwin:
    """Plain loops over random times with ties."""

    @pytest.fixture
    def times(self) -> list[list[int]]:
        random = np.random.default_rng(4)
        return [np.cumsum(random.choice([0, 60, 1800, 3600, DAY], size=n)).tolist() for n in (1, 7, 30, 12)]

    @pytest.mark.parametrize("gap", [0.5, 30.0, 59.0, 60.0])
    def test_session(self, make_batch, times: list[list[int]], gap: float) -> None:
        expected = []
        for row in times:
            start = 0
            for i, time in enumerate(row):
                if i and time - row[i - 1] > gap * 60:
                    start = i
                expected.append(start)
        assert starts(Session(gap=gap), make_batch, times) == expected

    @pytest.mark.parametrize(("page", "unit"), [("day", "D"), ("week", "W"), ("month", "M")])
    def test_calendar(self, make_batch, times: list[list[int]], page, unit: str) -> None:
        expected = []
        for row in times:
            # NumPy's weeks begin on Thursdays as its epoch does: three days later they begin on Mondays.
            shift = 3 * DAY if page == "week" else 0
            pages = [np.datetime64(time + shift, "s").astype(f"datetime64[{unit}]") for time in row]
            expected += [pages.index(page_of_it) for page_of_it in pages]
        assert starts(Calendar(page=page), make_batch, times) == expected

    @pytest.mark.parametrize("days", [0.01, 1 / 24, 1.0, 3.0])
    def test_days(self, make_batch, times: list[list[int]], days: float) -> None:
        expected = [next(i for i, t in enumerate(row) if t >= now - days * DAY) for row in times for now in row]
        assert starts(Days(days=days), make_batch, times) == expected


class TestEveryWindow:
    def test_starts_lie_between_zero_and_the_position(self, make_batch, window_class) -> None:
        random = np.random.default_rng(5)
        times = [np.cumsum(random.integers(0, 3 * DAY, size=n)).tolist() for n in (1, 2, 40, 17)]
        batch = make_batch([[1] * len(row) for row in times], times)
        at = every(batch)
        start_N = window_class()(batch, at)
        assert start_N.shape == (60,) and start_N.dtype == torch.int64
        assert (start_N >= 0).all() and (start_N <= at.position_N).all()
        assert (start_N > 0).any() != window_class.whole, "by default a window cuts something off a long history"

    def test_what_comes_later_moves_no_start(self, make_batch, window_class) -> None:
        random = np.random.default_rng(6)
        times = np.cumsum(random.integers(0, 3 * DAY, size=30)).tolist()
        whole = starts(window_class(), make_batch, [times])
        for n in range(1, 30):
            assert starts(window_class(), make_batch, [times[:n]]) == whole[:n]

    @pytest.mark.parametrize("block", [1, 2, 1024])
    def test_query_starts_by_a_loop(self, make_batch, make_histories, window_class, block: int) -> None:
        random = np.random.default_rng(7)
        lengths = [5, 3, 40, 12]
        times = [np.cumsum(random.integers(0, 2 * DAY, size=n)).tolist() for n in lengths]
        histories = make_histories(*([1] * n for n in lengths), times=times)
        expected, window = [], window_class()
        for u, row in enumerate(times):
            known = row[:-1]  # the target itself is not known at the query
            expected.append(sum(lengths[:u]) + starts(window, make_batch, [known])[-1])
        got = query_starts(window, histories, LeaveOneOut()(histories).test, block=block)
        assert got.tolist() == expected

    def test_times_are_declared_when_they_are_read(self, make_batch, window_class) -> None:
        random = np.random.default_rng(8)
        one = np.cumsum(random.integers(0, 3 * DAY, size=30)).tolist()
        same = starts(window_class(), make_batch, [one]) == starts(window_class(), make_batch, [[0] * 30])
        assert same != window_class.needs_times


class TestErrors:
    @pytest.mark.parametrize(
        ("build", "words"),
        [
            (lambda: LastK(k=0), r"window\.k=0.*at least 1.*Try window\.k=5"),
            (lambda: LastK(k=-3), r"window\.k=-3"),
            (lambda: Session(gap=0), r"window\.gap=0.*more than 0 minutes.*Try"),
            (lambda: Session(gap=-1.5), r"window\.gap=-1\.5"),
            (lambda: Days(days=0), r"window\.days=0.*longer than 0 days.*Try"),
            (lambda: Days(days=-7), r"window\.days=-7"),
            (lambda: Duration(length=0, unit="weeks"), r"window\.length=0.*longer than 0 weeks.*Try"),
            (lambda: Duration(length=-2), r"window\.length=-2.*hours"),
        ],
    )
    def test_a_window_that_holds_nothing_is_refused(self, build, words: str) -> None:
        with pytest.raises(UserError, match=words):
            build()
