"""What every protocol owes, whatever the data: found by scanning, so a new one joins by itself."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from research.data import splits
from research.data.histories import Histories
from research.data.prepare import to_histories
from research.data.split import LeaveOneOut, Queries, Split, Splitter
from research.data.splits.item_cold import ItemCold
from research.data.splits.user_cold import UserCold
from research.data.splits.user_k_fold import UserKFold
from research.errors import UserError

CONFIGS = Path(__file__).resolve().parents[2] / "configs" / "split"
MODULES = [
    importlib.import_module(f"{splits.__name__}.{found.name}") for found in pkgutil.iter_modules(splits.__path__)
]
CLASSES: list[type[Splitter]] = [LeaveOneOut] + [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if inspect.isclass(kind) and issubclass(kind, Splitter) and kind.__module__ == module.__name__
]
SMALL: dict[str, list[dict[str, Any]]] = {
    # Settings that fit a few dozen events within a minute; a class that is not named here is tested as it stands.
    "LeaveLastK": [{"k": 1}, {"k": 2}],
    "Ratio": [{}, {"validation": 0.25, "test": 0.4}],
    "GlobalTemporal": [
        *({"q": 0.6, "validation_q": 0.6, "target": target} for target in ("last", "successive", "all")),
        {"q": 0.6, "validation": "users", "validation_users": 0.5, "target": "successive"},
        {"q": 0.6, "validation": "users", "validation_users": 0.5, "target": "all", "seed": 3},
        {"test_from": "1970-01-01T00:00:40", "validation_from": "1970-01-01T00:00:20"},
    ],
    "SessionWise": [{"gap": 0.1}, {"column": "session"}],
    "UserKFold": [{"k": 3}, {"k": 4, "fold": 3, "seed": 5}],
    "UserCold": [{"share": 0.5}, {"share": 0.3, "seed": 2}],
    "ItemCold": [{"share": 0.5}, {"share": 0.2, "seed": 2}],
}
SPLITTERS = [kind(**keys) for kind in CLASSES for keys in SMALL.get(kind.__name__, [{}])]
for_every_splitter = pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 60)), min_size=24, max_size=60)
"""User, item, time; times tie."""
relaxed = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def attempt(splitter: Splitter, events: list[tuple[int, int, int]]) -> tuple[Histories, Split]:
    """Sessions are thirds of a minute that begin at another second for each user."""
    rows = [(f"u{user}", f"i{item}", time, (time + 3 * user) // 20) for user, item, time in events]
    histories = to_histories("any", pl.DataFrame(rows, schema=["user", "item", "time", "session"], orient="row"))
    try:
        return histories, splitter(histories)
    except UserError:
        assume(False)
        raise


def positions(spans: Any) -> list[int]:
    """By a loop."""
    runs = zip(spans.start.tolist(), spans.stop.tolist(), strict=True)
    return [p for a, b in runs for p in range(a, b) if spans.kept is None or spans.kept[p]]


def each(queries: Queries) -> list[tuple[int, int, int, int]]:
    columns = (queries.user, queries.start, queries.stop, queries.target)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def user_of(histories: Histories) -> list[int]:
    return np.repeat(np.arange(histories.n_users), histories.lengths).tolist()


def test_the_scan_finds_them_and_each_has_a_file_with_its_defaults() -> None:
    assert {"LeaveOneOut", "LeaveLastK", "SessionWise", "UserKFold", "ItemCold"} <= {kind.__name__ for kind in CLASSES}
    targets = {}
    for path in sorted(CONFIGS.glob("*.yaml")):
        node = OmegaConf.to_container(OmegaConf.load(path))
        assert isinstance(node, dict)
        targets[node.pop("_target_")] = node
    for kind in CLASSES:
        assert targets[f"{kind.__module__}.{kind.__name__}"] == dataclasses.asdict(kind())  # type: ignore[call-overload]


@for_every_splitter
@relaxed
@given(events=EVENTS)
def test_every_interaction_is_trained_on_or_asked_for_or_dropped_once(splitter: Splitter, events: list) -> None:
    histories, split = attempt(splitter, events)
    trained, dropped = positions(split.train), positions(split.dropped)
    used = trained + split.validation.target.tolist() + split.test.target.tolist() + dropped
    assert sorted(used) == list(range(len(histories.items)))
    assert trained == split.train.positions.tolist() and dropped == split.dropped.positions.tolist()
    assert split.train.length.tolist() == [
        len(positions(split.train.take(np.array([s])))) for s in range(len(split.train))
    ]


@for_every_splitter
@relaxed
@given(events=EVENTS)
def test_every_input_is_a_prefix_of_the_users_own_history_before_the_target(splitter: Splitter, events: list) -> None:
    histories, split = attempt(splitter, events)
    for part in (split.validation, split.test):
        assert len(part) > 0
        for user, start, stop, target in each(part):
            assert start == histories.offsets[user] < stop <= target < histories.offsets[user + 1]
            assert histories.times[stop - 1] <= histories.times[target]
    for spans in (split.train, split.dropped):
        for user, start, stop in zip(spans.user, spans.start, spans.stop, strict=True):
            assert histories.offsets[user] <= start < stop <= histories.offsets[user + 1]
    assert (split.train.length > 0).sum() > 0


@for_every_splitter
@relaxed
@given(events=EVENTS)
def test_nothing_of_a_users_future_is_trained_on_or_validated(splitter: Splitter, events: list) -> None:
    histories, split = attempt(splitter, events)
    user_N = user_of(histories)
    trained: dict[int, int] = {}
    for position in positions(split.train):
        trained[user_N[position]] = max(position, trained.get(user_N[position], -1))
    validated: dict[int, int] = {}
    for user, _, _, target in each(split.validation):
        assert trained.get(user, -1) < target
        validated[user] = max(target, validated.get(user, -1))
    for user, _, _, target in each(split.test):
        assert trained.get(user, -1) < target
        assert validated.get(user, -1) < target


@for_every_splitter
@relaxed
@given(events=EVENTS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter_where_times_are_distinct(
    splitter: Splitter, events: list, seed: int
) -> None:
    distinct = [(user, item, number) for number, (user, item, _) in enumerate(events)]
    shuffled = random.Random(seed).sample(distinct, len(distinct))

    def named(rows: list[tuple[int, int, int]]) -> list[set]:
        h, split = attempt(splitter, rows)
        user_N = h.user_ids[user_of(h)].tolist()
        item_N = h.item_ids[h.items - 1].tolist()
        event = list(zip(user_N, item_N, h.times.tolist(), strict=True))

        def asked(queries: Queries) -> set:
            label = queries.cold.tolist() if queries.cold is not None else [None] * len(queries)
            inputs = [tuple(event[a:b]) for _, a, b, _ in each(queries)]
            return set(zip(inputs, (event[t] for t in queries.target), label, strict=True))

        sets = [{event[p] for p in positions(spans)} for spans in (split.train, split.dropped)]
        return [*sets, asked(split.validation), asked(split.test)]

    assert named(distinct) == named(shuffled)


@for_every_splitter
@relaxed
@given(events=EVENTS)
def test_what_is_called_cold_never_occurs_in_training(splitter: Splitter, events: list) -> None:
    histories, split = attempt(splitter, events)
    user_N = user_of(histories)
    users = {user_N[p] for p in positions(split.train)}
    items = {int(histories.items[p]) for p in positions(split.train)}
    for part in (split.validation, split.test):
        if part.cold is not None:
            for (user, _, _, target), cold in zip(each(part), part.cold.tolist(), strict=True):
                assert not cold or user not in users or int(histories.items[target]) not in items
        if isinstance(splitter, UserKFold):
            assert not users & set(part.user.tolist())
        if isinstance(splitter, UserCold):
            assert part.cold is not None
            assert [user not in users for user in part.user.tolist()] == part.cold.tolist()
        if isinstance(splitter, ItemCold):
            assert part.cold is not None
            for target, cold in zip(histories.items[part.target].tolist(), part.cold.tolist(), strict=True):
                assert not cold or target not in items
    if isinstance(splitter, ItemCold):
        assert not items & {int(histories.items[p]) for p in positions(split.dropped)}
