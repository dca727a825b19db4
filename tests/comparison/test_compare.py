"""Two runs side by side; every number by hand."""

from __future__ import annotations

import json
import math

import pytest
from made_runs import CONFIG, made_run

from research import cli
from research.comparison.compare import compare
from research.comparison.find import find
from research.comparison.side import read_side
from research.errors import UserError


def sides(*directories):
    return [read_side([directory]) for directory in directories]


def test_metrics_test_settings_and_cost(tmp_path):
    first = made_run(tmp_path, [0, 0, 0, 0], lengths=[3, 3, 8, 60])
    config = {**CONFIG, "fusion": {"_target_": "research.fusion.sum.Sum"}, "seed": 5}
    second = made_run(tmp_path, [20, 20, 20, 0], cell="sum-2", lengths=[3, 3, 8, 60], config=config, parameters=1000)
    found = compare(*sides(first, second))
    recall = found.metrics[0]
    assert (recall.name, recall.first, recall.second, recall.difference) == ("recall@10", 1.0, 0.25, 0.75)
    assert recall.p == 2 / 8  # three users differ, all the same way: 2 of their 8 sign patterns are as far
    assert recall.p_adjusted == 0.75  # three metrics with the same p
    assert recall.interval is not None and recall.interval.low < 0.75 < recall.interval.high
    assert [(s.name, s.users, s.difference) for s in found.slices] == [
        ("history ≤5", 2, 1.0),
        ("history 6–10", 1, 1.0),
        ("history >50", 1, 0.0),
    ]
    assert found.slices[1].p is None  # one user is no test
    assert found.settings == {"fusion": ("gated", "sum"), "fusion.elementwise": ("true", "–")}
    assert found.costs["parameters"] == (1200, 1000) and found.costs["training s"] == (10, 10)
    assert sum("one seed" in note for note in found.notes) == 2


def test_cells_use_all_their_seeds(tmp_path):
    for seed, better in ((1, [0, 20, 0]), (2, [0, 0, 20])):
        made_run(tmp_path, better, seed=seed)
        made_run(tmp_path, [20, 20, 20], seed=seed, cell="sum-2")
    found = compare(*(read_side(find(f"mine/{cell}", tmp_path)) for cell in ("gated-1", "sum-2")), ["recall@10"])
    assert found.metrics[0].first == pytest.approx(2 / 3) and found.metrics[0].second == 0
    assert found.first.seeds == [1, 2] and found.costs["training s"] == (15, 15)
    assert not any("one seed" in note for note in found.notes)


def test_a_user_with_several_queries_is_one_pair(tmp_path):
    users = [0, 0, 0, 1]
    first = made_run(tmp_path, [0, 0, 20, 20], users=users)
    second = made_run(tmp_path, [20, 20, 20, 20], cell="sum-2", users=users)
    one = compare(*sides(first, second), ["recall@10"]).metrics[0]
    assert (one.queries, one.users, one.first) == (4, 2, 0.5)
    assert one.difference == pytest.approx(0.5)  # what the means differ by: the first user asks more often


def test_slices_by_column(tmp_path):
    columns = {"scenario": ["search", "", "search", ""], "cold": [True, False, False, False]}
    first = made_run(tmp_path, [2, 0, 0, 0], columns=columns)
    second = made_run(tmp_path, [0, 0, 0, 0], cell="sum-2", columns=columns)
    found = {one.name: one for one in compare(*sides(first, second)).slices}
    assert found["cold"].difference == pytest.approx(1 / math.log2(4) - 1) and found["warm"].difference == 0
    assert found["scenario search"].queries == 2 and found["scenario unknown"].difference == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"protocol": {"split": "ratio", "ranking": "full catalogue"}},
            "split is 'leave-one-out' in the first and 'rat",
        ),
        ({"data": {"name": "toy", "digest": "e" * 64}}, "digest of their data differs.*run the older one again"),
        ({"data": {"name": "ml-1m", "digest": "e" * 64}}, "name of their data differs, toy and ml-1m.*same data"),
        ({"targets": [3, 4]}, "do not rank the same held-out items"),
        ({"lengths": [7, 8]}, "do not rank the same held-out items"),
    ],
)
def test_what_does_not_compare(tmp_path, changes, message):
    first, second = made_run(tmp_path, [0, 1]), made_run(tmp_path, [1, 0], cell="sum-2", **changes)
    with pytest.raises(UserError, match=message):
        compare(*sides(first, second))


class TestFind:
    def test_by_directory_path_and_identity(self, tmp_path):
        directory = made_run(tmp_path, [0, 1], seed=3, identity="abc123" + "0" * 58)
        for name in (str(directory), "mine/gated-1/seed-3", "mine/gated-1/3", "mine/gated-1", "abc123", "abc12300"):
            assert find(name, tmp_path) == [directory]

    def test_mistakes(self, tmp_path):
        made_run(tmp_path, [0, 1], identity="abc123" + "0" * 58)
        made_run(tmp_path, [0, 1], cell="sum-2", identity="abc123" + "1" * 58)
        made_run(tmp_path, [0, 1], cell="bad-3", status="failed", reason="no luck")
        for name, message in (
            ("abc123", "2 runs have an identity"),
            ("fffff0", "No finished run"),
            ("mine", "name one of its cells: bad-3, gated-1, sum-2"),
            ("mine/bad-3/1", "failed: no luck"),
            ("nothing", "There is no run 'nothing'"),
        ):
            with pytest.raises(UserError, match=message):
                find(name, tmp_path)


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    made_run(tmp_path, [0, 0, 0])
    made_run(tmp_path, [0, 0, 12], cell="sum-2")
    words = ["compare", "mine/gated-1", "mine/sum-2/1", "--runs", str(tmp_path), "--metric", "recall@10"]
    with pytest.raises(SystemExit) as stop:
        cli.main([*words, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert not stop.value.code and said["metrics"][0]["difference"] == pytest.approx(1 / 3)
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    out = capsys.readouterr().out
    assert not stop.value.code and ".3333" in out and "No setting differs" in out
