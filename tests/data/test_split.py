"""Leave-one-out by hand, and as properties of any dataset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from research.data.split import LeaveOneOut, Queries
from research.errors import UserError


def targets(queries: Queries) -> list[tuple[int, int, int, int]]:
    columns = (queries.user, queries.start, queries.stop, queries.target)
    return list(zip(*(c.tolist() for c in columns), strict=True))


class TestExact:
    def test_by_hand(self, make_histories) -> None:
        # Users with 4, 1, 2, 3 and 5 interactions begin at 0, 4, 5, 7 and 10.
        histories = make_histories([1, 2, 3, 4], [5], [6, 7], [8, 9, 1], [1, 1, 2, 2, 3])
        split = LeaveOneOut()(histories)
        train = list(zip(*(c.tolist() for c in (split.train.user, split.train.start, split.train.stop)), strict=True))
        assert train == [(0, 0, 2), (1, 4, 5), (2, 5, 7), (3, 7, 8), (4, 10, 13)]
        assert targets(split.validation) == [(0, 0, 2, 2), (3, 7, 8, 8), (4, 10, 13, 13)]
        assert targets(split.test) == [(0, 0, 3, 3), (3, 7, 9, 9), (4, 10, 14, 14)]
        assert split.name == "leave-one-out"
        assert (len(split.train), len(split.validation), len(split.test)) == (5, 3, 3)

    def test_the_validation_item_is_part_of_the_test_input(self, make_histories) -> None:
        histories = make_histories([1, 2, 3, 4])
        split = LeaveOneOut()(histories)
        assert histories.items[split.test.start[0] : split.test.stop[0]].tolist() == [1, 2, 3]
        assert histories.items[split.test.target].tolist() == [4]
        assert histories.items[split.validation.target].tolist() == [3]

    def test_without_a_user_of_three_interactions(self, make_histories) -> None:
        with pytest.raises(UserError, match=r"'by hand'.*no user has 3 interactions.*another split"):
            LeaveOneOut()(make_histories([1, 2], [3]))


LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=12).filter(lambda lengths: max(lengths) >= 3)


class TestProperties:
    @staticmethod
    def split(lengths: list[int], make):
        histories = make(*([1] * n for n in lengths))
        return histories, LeaveOneOut()(histories)

    @given(lengths=LENGTHS)
    def test_no_interaction_is_lost_or_doubled(self, lengths: list[int], make_histories) -> None:
        histories, split = self.split(lengths, make_histories)
        trained = [p for a, b in zip(split.train.start, split.train.stop, strict=True) for p in range(a, b)]
        used = trained + split.validation.target.tolist() + split.test.target.tolist()
        assert sorted(used) == list(range(len(histories.items))), "each is trained on, validated on or tested on, once"

    @given(lengths=LENGTHS)
    def test_every_input_is_a_prefix_of_the_users_own_history_and_ends_at_the_target(
        self, lengths: list[int], make_histories
    ) -> None:
        histories, split = self.split(lengths, make_histories)
        for queries in (split.validation, split.test):
            for user, start, stop, target in targets(queries):
                assert start == histories.offsets[user] < stop == target < histories.offsets[user + 1]

    @given(lengths=LENGTHS)
    def test_what_is_trained_on_comes_before_what_is_held_out(self, lengths: list[int], make_histories) -> None:
        _, split = self.split(lengths, make_histories)
        end = dict(zip(split.train.user.tolist(), split.train.stop.tolist(), strict=True))
        validated = {user: target for user, _, _, target in targets(split.validation)}
        tested = {user: target for user, _, _, target in targets(split.test)}
        assert validated.keys() == tested.keys() == {u for u, n in enumerate(lengths) if n >= 3}
        for user, target in tested.items():
            assert end[user] <= validated[user] < target
