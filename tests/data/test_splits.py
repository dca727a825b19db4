"""Leave-last-k, per-user ratio and one moment for all: by hand, and that nothing leaks across users."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from research.data.histories import Histories
from research.data.prepare import to_histories
from research.data.split import LeaveOneOut, Queries, Split, Splitter
from research.data.splits.global_temporal import GlobalTemporal
from research.data.splits.leave_last_k import LeaveLastK
from research.data.splits.ratio import Ratio
from research.errors import UserError


def queries(queries: Queries) -> list[tuple[int, int, int, int]]:
    columns = (queries.user, queries.start, queries.stop, queries.target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def spans(split: Split) -> list[tuple[int, int, int]]:
    columns = (split.train.user, split.train.start, split.train.stop)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def trained(split: Split) -> list[int]:
    return [position for _, start, stop in spans(split) for position in range(start, stop)]


class TestLeaveLastK:
    def test_by_hand(self, make_histories) -> None:
        # Users with 6, 4 and 5 interactions begin at 0, 6 and 10.
        split = LeaveLastK(k=2)(make_histories([1, 2, 3, 4, 5, 6], [1, 2, 3, 4], [5, 4, 3, 2, 1]))
        assert spans(split) == [(0, 0, 2), (1, 6, 10), (2, 10, 11)]
        assert queries(split.validation) == [(0, 0, 2, 2), (0, 0, 3, 3), (2, 10, 11, 11), (2, 10, 12, 12)]
        assert queries(split.test) == [(0, 0, 4, 4), (0, 0, 5, 5), (2, 10, 13, 13), (2, 10, 14, 14)]
        assert split.name == "leave-last-2"

    @settings(deadline=None)
    @given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12).filter(lambda n: max(n) >= 3))
    def test_with_one_it_is_leave_one_out(self, lengths: list[int], make_histories) -> None:
        histories = make_histories(*([1] * n for n in lengths))
        ours, twin = LeaveLastK(k=1)(histories), LeaveOneOut()(histories)
        assert spans(ours) == spans(twin)
        assert queries(ours.validation) == queries(twin.validation)
        assert queries(ours.test) == queries(twin.test)

    def test_mistakes(self, make_histories) -> None:
        with pytest.raises(UserError, match=r"no user has 5 interactions.*smaller split\.k"):
            LeaveLastK(k=2)(make_histories([1, 2, 3, 4]))
        with pytest.raises(UserError, match=r"split\.k is 0"):
            LeaveLastK(k=0)


class TestRatio:
    def test_by_hand(self, make_histories) -> None:
        # A tenth and a fifth of 10 are 1 and 2; of 4 they are 0.4 and 0.8, so 1 and 1; of 2 nothing would be left.
        split = Ratio(validation=0.1, test=0.2)(make_histories([1] * 10, [1] * 4, [1] * 2))
        assert spans(split) == [(0, 0, 7), (1, 10, 12), (2, 14, 16)]
        assert queries(split.validation) == [(0, 0, 7, 7), (1, 10, 12, 12)]
        assert queries(split.test) == [(0, 0, 8, 8), (0, 0, 9, 9), (1, 10, 13, 13)]

    def test_a_product_that_lacks_a_hair_is_not_cut(self, make_histories) -> None:
        assert 0.29 * 100 < 29
        assert len(Ratio(validation=0.1, test=0.29)(make_histories([1] * 100)).test) == 29

    @pytest.mark.parametrize(("validation", "test"), [(0, 0.1), (0.1, 0), (0.5, 0.5), (-0.1, 0.2)])
    def test_shares_that_leave_nothing_are_refused(self, validation: float, test: float) -> None:
        with pytest.raises(UserError, match=r"sum below 1"):
            Ratio(validation=validation, test=test)

    def test_short_histories(self, make_histories) -> None:
        with pytest.raises(UserError, match="no user has an interaction left"):
            Ratio()(make_histories([1, 2], [3]))


class TestGlobalTemporal:
    # Ten interactions at 0 to 9. Half come before 5; of those at 0 to 4, 0.6 * 5 = 3 come before 3.
    TIMES = ([0, 4, 6, 9], [1, 2, 3], [5, 7], [8])

    def histories(self, make) -> Histories:
        return make([1, 2, 3, 4], [5, 6, 7], [1, 2], [3], times=[list(t) for t in self.TIMES])

    def split(self, make, target) -> Split:
        return GlobalTemporal(q=0.5, validation_q=0.6, target=target)(self.histories(make))

    def test_the_last_of_a_period(self, make_histories) -> None:
        split = self.split(make_histories, "last")
        assert spans(split) == [(0, 0, 1), (1, 4, 6)]
        assert queries(split.validation) == [(0, 0, 1, 1), (1, 4, 6, 6)]
        # User 2 first comes in the test period and is asked for their second item; user 3 has no second.
        assert queries(split.test) == [(0, 0, 3, 3), (2, 7, 8, 8)]

    def test_each_of_a_period_with_growing_input(self, make_histories) -> None:
        split = self.split(make_histories, "successive")
        assert queries(split.test) == [(0, 0, 2, 2), (0, 0, 3, 3), (2, 7, 8, 8)]

    def test_each_of_a_period_with_what_was_known_when_it_began(self, make_histories) -> None:
        split = self.split(make_histories, "all")
        assert queries(split.test) == [(0, 0, 2, 2), (0, 0, 2, 3)], "users 2 and 3 were not known"
        assert queries(split.validation) == [(0, 0, 1, 1), (1, 4, 6, 6)]

    def test_equal_times_stay_together(self, make_histories) -> None:
        histories = make_histories([1, 2, 3], [4, 5, 6, 7], times=[[0, 5, 5], [1, 2, 5, 6]])
        split = GlobalTemporal(q=0.8, validation_q=0.7)(histories)  # place 5 of 0 1 2 5 5 5 6 is a 5
        assert queries(split.test) == [(0, 0, 2, 2), (1, 3, 6, 6)], "all from 5 on"
        assert queries(split.validation) == [(1, 3, 4, 4)]

    def test_what_is_not_asked_for_is_dropped(self, make_histories) -> None:
        dropped = {target: self.split(make_histories, target).dropped for target in ("last", "successive", "all")}
        # User 0 has test items 2 and 3, user 1 the validation item 6, user 2 the items 7 and 8, user 3 item 9.
        assert {target: d.positions.tolist() for target, d in dropped.items()} == {
            "last": [2, 7, 9],
            "successive": [7, 9],
            "all": [7, 8, 9],
        }

    def test_dates_instead_of_shares(self, make_histories) -> None:
        day = 86_400
        times = [[t * day for t in row] for row in self.TIMES]
        histories = make_histories([1, 2, 3, 4], [5, 6, 7], [1, 2], [3], times=times)
        split = GlobalTemporal(test_from="1970-01-06", validation_from="1970-01-04T00:00")(histories)
        assert spans(split) == [(0, 0, 1), (1, 4, 6)]
        assert queries(split.validation) == [(0, 0, 1, 1), (1, 4, 6, 6)]
        assert queries(split.test) == [(0, 0, 3, 3), (2, 7, 8, 8)]
        assert split.name == "global temporal 1970-01-06 1970-01-04T00:00 last"
        # One second later than the items of the first moment, and in another zone: two hours earlier in UTC.
        assert len(GlobalTemporal(test_from="1970-01-06T00:00:01", validation_q=0.5)(histories).test) == 2
        assert queries(GlobalTemporal(test_from="1970-01-06T02:00+02:00", validation_q=0.6)(histories).test) == queries(
            split.test
        )

    def test_validation_by_users(self, make_histories) -> None:
        histories = self.histories(make_histories)
        for seed in range(8):
            keys: dict[str, Any] = {"q": 0.5, "validation": "users", "validation_users": 0.5, "seed": seed}
            try:
                split = GlobalTemporal(**keys)(histories)
            except UserError:  # users 2 and 3 have nothing before the test: nobody to validate on
                continue
            chosen = set(split.validation.user.tolist())
            assert chosen and not chosen & set(split.train.user.tolist())
            # Before 5, user 0 has items 0 and 1, user 1 has items 4, 5 and 6: the last is asked for.
            known = {0: (0, 0, 1, 1), 1: (1, 4, 6, 6)}
            assert queries(split.validation) == [known[u] for u in sorted(chosen)]
            assert spans(split) == [{0: (0, 0, 2), 1: (1, 4, 7)}[u] for u in {0, 1} - chosen]
            assert queries(split.test) == [(0, 0, 3, 3), (2, 7, 8, 8)], "whoever validates, the test is the same"
            assert split.name == f"global temporal 0.5 users 0.5 seed {seed} last"

    def test_mistakes(self, make_histories) -> None:
        with pytest.raises(UserError, match=r"split\.test_from is 'soon'.*2017-12-03"):
            GlobalTemporal(test_from="soon")
        with pytest.raises(UserError, match="nothing is left for the validation part"):
            GlobalTemporal(test_from="1970-01-01T00:00:05", validation_from="1970-01-02")(
                self.histories(make_histories)
            )
        with pytest.raises(UserError, match="no times"):
            GlobalTemporal()(make_histories([1, 2, 3], has_times=False))
        with pytest.raises(UserError, match=r"split\.validation_q is 1"):
            GlobalTemporal(validation_q=1.0)
        with pytest.raises(UserError, match="nothing is left for the validation part"):
            GlobalTemporal()(make_histories([1, 2], [3], times=[[7, 9], [8]]))  # who comes at 8 has no input
        with pytest.raises(UserError, match="nothing is left for the train part"):
            GlobalTemporal()(make_histories([1, 2, 3], times=[[7, 7, 7]]))


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 60)), min_size=12, max_size=60)
"""User, item, time; times tie."""


def attempt(splitter: Splitter, events: list[tuple[int, int, int]]) -> tuple[Histories, Split]:
    histories = to_histories("any", pl.DataFrame(events, schema=["user", "item", "time"], orient="row"))
    try:
        return histories, splitter(histories)
    except UserError:
        assume(False)
        raise


@pytest.mark.parametrize("target", ["last", "successive", "all"])
class TestNothingLeaks:
    @settings(deadline=None)
    @given(events=EVENTS)
    def test_training_is_before_validation_is_before_test_for_all_users(
        self, target, events: list[tuple[int, int, int]]
    ) -> None:
        histories, split = attempt(GlobalTemporal(q=0.6, validation_q=0.6, target=target), events)
        times = histories.times
        assert times[trained(split)].max() < times[split.validation.target].min()
        assert times[split.validation.target].max() < times[split.test.target].min()

    @settings(deadline=None)
    @given(events=EVENTS)
    def test_the_shares_are_what_was_asked_for_up_to_ties(self, target, events: list[tuple[int, int, int]]) -> None:
        histories, split = attempt(GlobalTemporal(q=0.6, validation_q=0.6, target=target), events)
        n = len(histories.items)
        moment = sorted(histories.times.tolist())[int(0.6 * n + 1e-9)]
        before = sorted(t for t in histories.times.tolist() if t < moment)
        start = before[int(0.6 * len(before) + 1e-9)]
        assert len(trained(split)) == sum(t < start for t in before)
        assert all(start <= t < moment for t in histories.times[split.validation.target])
        assert all(t >= moment for t in histories.times[split.test.target])
