"""The audit against numbers counted by hand, and against the published facts about the real files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from research.data.audit import audit
from research.data.batch import Positions, cut
from research.data.histories import Histories
from research.data.prepare import prepare, to_histories
from research.data.sources.movielens_100k import MovieLens100K
from research.data.sources.s3rec import S3Rec
from research.data.sources.simulated import Simulated
from research.data.split import LeaveOneOut, Splitter
from research.data.splits.global_temporal import GlobalTemporal
from research.data.splits.item_cold import ItemCold
from research.data.splits.leave_last_k import LeaveLastK
from research.data.splits.session_wise import SessionWise
from research.data.splits.user_cold import UserCold
from research.data.splits.user_k_fold import UserKFold
from research.windows.all import All
from research.windows.calendar import Calendar
from research.windows.last_k import LastK
from research.windows.session import Session
from research.windows.starts import windows_per_user


def histories(*users: list[tuple[str, int]]) -> Histories:
    rows = [(str(u), item, at) for u, history in enumerate(users) for item, at in history]
    return to_histories("hand", pl.DataFrame(rows, schema=["user", "item", "time"], orient="row"))


# User 0: a b c a   times 1 1 1 5   target a: seen before by this user, and trained on (a, b).
# User 1: b c d     times 5 6 6     target d: in no training span; last two tie; begins when user 0 ends.
# User 2: a b       times 7 7       too short for a test query; trained on whole; its last two tie.
# User 3: e         times 7         one interaction.
# User 4: c b f e b a times 1..6    target a, not seen before by this user.
HAND = histories(
    [("a", 1), ("b", 1), ("c", 1), ("a", 5)],
    [("b", 5), ("c", 6), ("d", 6)],
    [("a", 7), ("b", 7)],
    [("e", 7)],
    [("c", 1), ("b", 2), ("f", 3), ("e", 4), ("b", 5), ("a", 6)],
)


def test_every_number_by_hand() -> None:
    split = LeaveOneOut()(HAND)
    got = audit(HAND, split, short_start=split.test.stop - 3, windows=np.array([2, 1, 1, 1, 5]))
    assert got == {
        "dataset": "hand",
        "split": "leave-one-out",
        "users": 5,
        "items": 6,
        "interactions": 16,
        "density": 16 / 30,
        "history_min": 1,
        "history_median": 3.0,
        "history_mean": 16 / 5,
        "history_max": 6,
        "history_buckets": {"<=5": 4, "6-10": 1, "11-20": 0, "21-50": 0, ">50": 0},
        "windows_per_user_median": 1.0,
        "windows_per_user_mean": 2.0,
        "training_interactions": 10,
        "dropped_interactions": 0,
        # Trained on: times 1 1, 5, 7 7, 7, 1 2 3 4. Targets at 5, 6, 6: the three 7s are later than each of them.
        "training_after_first_test_share": 3 / 10,
        "training_after_test_mean_share": 3 / 10,
        "test_queries": 3,
        "test_history_buckets": {"<=5": 3, "6-10": 0, "11-20": 0, "21-50": 0, ">50": 0},
        "time_ties_share": 4 / 16,
        "users_last_two_tie": 2,
        "users_last_two_tie_share": 2 / 5,
        # User 1's target d ties with c: one order of two has c last.
        "targets_shuffled_ties_could_change_share": 1 / 3,
        "targets_shuffled_ties_expected_to_change_share": 0.5 / 3,
        "repeated_targets": 1,
        "repeated_targets_share": 1 / 3,
        "targets_unseen_in_training": 1,
        "targets_unseen_in_training_share": 1 / 3,
        # Inputs of 3, 2 and 5 items; a window of 3 is the whole of the first two.
        "short_window_is_whole_history_share": 2 / 3,
    }


def test_it_is_plain_json() -> None:
    got = audit(HAND, LeaveOneOut()(HAND))
    assert json.loads(json.dumps(got)) == got
    assert got["short_window_is_whole_history_share"] is None


def test_the_short_window_may_be_a_function() -> None:
    got = audit(HAND, LeaveOneOut()(HAND), short_start=lambda queries: queries.stop - 2)
    assert got["short_window_is_whole_history_share"] == 1 / 3


def test_bucket_bounds_belong_to_the_lower_bucket() -> None:
    lengths = [5, 6, 10, 11, 20, 21, 50, 51, 90]
    h = histories(*[[(f"i{k}", k) for k in range(n)] for n in lengths])
    got = audit(h, LeaveOneOut()(h))
    assert got["history_buckets"] == {"<=5": 1, "6-10": 2, "11-20": 2, "21-50": 2, ">50": 2}
    # One less is before the test target.
    assert got["test_history_buckets"] == {"<=5": 2, "6-10": 2, "11-20": 2, "21-50": 2, ">50": 1}


def test_without_times_nothing_is_said_about_ties() -> None:
    h = to_histories("x", pl.DataFrame({"user": [1, 1, 1], "item": [1, 2, 3]}))
    got = audit(h, LeaveOneOut()(h))
    for key in ("time_ties_share", "users_last_two_tie", "users_last_two_tie_share", "training_after_first_test_share"):
        assert got[key] is None
    assert got["training_after_test_mean_share"] is got["targets_shuffled_ties_could_change_share"] is None


SPLITS: list[Splitter] = [
    LeaveOneOut(),
    LeaveLastK(k=2),
    GlobalTemporal(q=0.7, validation_q=0.7, target="successive"),
    SessionWise(gap=0.03),
    UserKFold(k=3),
    UserCold(share=0.3),
    ItemCold(share=0.3),
]


@pytest.mark.parametrize("splitter", SPLITS, ids=repr)
def test_against_naive_loops(splitter: Splitter) -> None:
    rng = np.random.default_rng(1)
    h = histories(*[[(str(rng.integers(30)), int(t)) for t in rng.integers(0, 9, n)] for n in rng.integers(1, 12, 60)])
    split = splitter(h)
    got = audit(h, split)
    trained = split.train.positions.tolist()
    queries = list(zip(split.test.start, split.test.stop, split.test.target, strict=True))
    assert got["training_interactions"] == len(trained)
    assert got["dropped_interactions"] == len(split.dropped.positions)
    assert got["repeated_targets"] == sum(h.items[t] in h.items[a:b] for a, b, t in queries) > 0
    items = {int(h.items[p]) for p in trained}
    assert got["targets_unseen_in_training"] == sum(int(h.items[t]) not in items for _, _, t in queries)
    spans = [h.times[a:b] for a, b in zip(h.offsets, h.offsets[1:], strict=False)]
    assert got["time_ties_share"] == sum(int((np.diff(s) == 0).sum()) for s in spans) / len(h.items)
    assert got["users_last_two_tie"] == sum(len(s) > 1 and s[-1] == s[-2] for s in spans)

    later = [[h.times[p] > h.times[t] for p in trained] for _, _, t in queries]
    assert got["training_after_first_test_share"] == pytest.approx(np.any(later, axis=0).mean())
    assert got["training_after_test_mean_share"] == pytest.approx(np.mean(later))
    if isinstance(splitter, GlobalTemporal):
        assert got["training_after_first_test_share"] == 0, "the protocol's promise"

    user_N = np.repeat(np.arange(h.n_users), h.lengths)
    tied = [
        [p for p in range(len(h.items)) if user_N[p] == user_N[t] and h.times[p] == h.times[t]] for *_, t in queries
    ]
    other = [[h.items[p] != h.items[t] for p in group] for group, (*_, t) in zip(tied, queries, strict=True)]
    assert got["targets_shuffled_ties_could_change_share"] == np.mean([any(group) for group in other]) > 0
    assert got["targets_shuffled_ties_expected_to_change_share"] == pytest.approx(np.mean([np.mean(g) for g in other]))
    if split.test.cold is None:
        assert "cold_queries" not in got
    else:
        assert got["cold_queries"] == sum(split.test.cold.tolist()) > 0
        assert got["cold_queries_share"] == got["cold_queries"] / len(split.test)


def test_what_shuffling_ties_moves_is_what_shuffled_files_give() -> None:
    """The expectation against 400 files in which rows of equal user and time change places."""
    rng = np.random.default_rng(2)
    rows = [(str(u), f"i{rng.integers(9)}", int(t)) for u in range(15) for t in rng.integers(0, 6, 6)]
    frame = pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")

    def last_items(table: pl.DataFrame) -> dict[str, str]:
        h = to_histories("x", table)
        split = LeaveOneOut()(h)
        named = zip(h.user_ids[split.test.user], h.item_ids[h.items[split.test.target] - 1], strict=True)
        return {str(user): str(item) for user, item in named}

    base = last_items(frame)
    moved = []
    for seed in range(400):
        other = last_items(frame.sample(fraction=1.0, shuffle=True, seed=seed))
        moved.append(np.mean([base[user] != other[user] for user in base]))
    h = to_histories("x", frame)
    expected = audit(h, LeaveOneOut()(h))["targets_shuffled_ties_expected_to_change_share"]
    assert 0.1 < expected == pytest.approx(np.mean(moved), abs=float(4 * np.std(moved) / 20))


def test_windows_per_user_against_a_loop() -> None:
    """For every window: distinct starts of one history at a time, asked position by position."""
    h = prepare_simulated()
    for window in (Session(gap=30), LastK(k=3), Calendar(page="week"), All()):
        expected = []
        for a, b in zip(h.offsets, h.offsets[1:], strict=False):
            users = np.zeros(b - a, dtype=np.int64)
            batch = cut(h, users, np.full(b - a, a), np.arange(a, b) + 1)
            expected.append(len(set(window(batch, Positions.last(batch.length_B)).tolist())))
        assert windows_per_user(window, h, room=50).tolist() == expected
        assert windows_per_user(window, h).tolist() == expected
    assert windows_per_user(All(), h).tolist() == [1] * h.n_users
    assert windows_per_user(LastK(k=3), h).tolist() == [max(1, n - 2) for n in h.lengths]


def prepare_simulated() -> Histories:
    source = Simulated(n_users=12, n_items=40, mean_length=9.0)
    return to_histories("simulated", source.read({}))


@pytest.mark.shared
def test_published_facts_about_s3rec(shared_data: Path, tmp_path: Path) -> None:
    """Share of test inputs of at most 5 items, and repeated targets, as others counted them."""
    facts = {"beauty": (0.509, 0), "yelp": (0.436, 2027)}
    for category, (short, repeated) in facts.items():
        h = prepare(S3Rec(category=category), cache=tmp_path, mirrors=[shared_data])  # type: ignore[arg-type]
        got = audit(h, LeaveOneOut()(h), short_start=lambda queries: queries.stop - 5)
        assert round(got["short_window_is_whole_history_share"], 3) == short
        assert got["repeated_targets"] == repeated


@pytest.mark.shared
def test_ml_100k_ties(shared_data: Path, tmp_path: Path) -> None:
    h = prepare(MovieLens100K(), cache=tmp_path, mirrors=[shared_data])
    # Another way to count: within a user and a second, all but the first tie with the previous one.
    frame = pl.read_csv(shared_data / "ml-100k" / "u.data", separator="\t", has_header=False)
    ties = 100_000 - frame.select(pl.struct("column_0", "column_3").n_unique()).item()
    got = audit(h, LeaveOneOut()(h))
    assert got["time_ties_share"] == ties / 100_000
    assert got["repeated_targets"] == 0
