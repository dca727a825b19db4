"""Every check of the instrument passes on sound code, and fails on code that is broken in the way it looks for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from research.config import compose
from research.data import audit as audit_module
from research.data.load import load
from research.data.split import LeaveOneOut
from research.doctor import before_study, by_hand
from research.doctor.check import Check, failed
from research.doctor.data import first_users, same_build, shuffled_time
from research.doctor.instrument import instrument
from research.doctor.probes import Bench
from research.errors import UserError
from research.evaluation import dot_ranks
from research.evaluation.baselines import base
from research.metrics import ranking


def test_the_loops_know_the_numbers_of_the_book():
    assert by_hand.value("ndcg@10", 1, 1) == 1
    assert by_hand.value("ndcg@10", 3, 3) == pytest.approx(0.5)  # 1 / log2(4)
    assert by_hand.value("recall@1", 1, 4) == 0.25
    assert by_hand.value("mrr@2", 2, 3) == pytest.approx(0.25)  # (1/2 + 0) / 2
    assert by_hand.value("f1@3", 2, 2) == pytest.approx(2 * (1 / 3) * 1 / (1 / 3 + 1))
    assert (by_hand.ceiling("precision@5"), by_hand.ceiling("map@5")) == (0.2, 1)
    assert by_hand.value("ndcg@10", 11, 20) == 0
    # Items 1..5; item 2 is held out, item 5 is seen: above it stands 1, beside it 3; item 4 is below.
    assert by_hand.counts([3.0, 2.0, 2.0, 1.0, 9.0], 2, {5}) == (1, 1, 4)
    assert by_hand.counts([3.0, 2.0, 2.0, 1.0, 9.0], 2, {5, 2}) == (3, 0, 4)  # a seen target stands last


@pytest.fixture(scope="module")
def bench(simulated):
    return Bench.of(simulated, LeaveOneOut()(simulated), 20)


def names(checks: list[Check]) -> str:
    return " ".join(check.name for check in checks)


def test_a_sound_instrument_passes(bench):
    checks = instrument(bench)
    assert len(checks) == 8 and all(check.passed for check in checks), failed(checks)
    constant = next(check for check in checks if check.name.startswith("Constant"))
    chance = math.fsum(10 / c for c in bench.candidates_Q) / len(bench.candidates_Q)  # all targets are new here
    assert f"{chance:.6g}" in constant.found


def test_targets_that_were_seen_are_told_and_stand_last(make_histories):
    histories = make_histories([1, 2, 3, 1], [4, 5, 6, 7], [2, 3, 4, 2], [5, 6, 7, 8], n_items=30)
    checks = instrument(Bench.of(histories, LeaveOneOut()(histories), 10))
    assert not failed(checks)
    assert "misses the 50.0% whose item was seen before" in checks[0].found


def unfiltered(scores, target_B, seen_row_S, seen_item_S, **more):
    nothing = torch.zeros(0, dtype=torch.int64)
    return COUNT(scores, target_B, nothing, nothing, **more)


def optimistic(*arguments, **more):
    better_B, ties_B, candidates_B = COUNT(*arguments, **more)
    return better_B, torch.zeros_like(ties_B), candidates_B


def halved(*arguments, **more):
    better_B, ties_B, candidates_B = COUNT(*arguments, **more)
    return better_B // 2, ties_B, candidates_B


COUNT, DOTS = base.count_better, dot_ranks.count_better_dots


@pytest.mark.parametrize(
    ("broken", "noticed"),
    [
        (unfiltered, "What was seen is never recommended"),
        (optimistic, "Constant scores have chance exactly, as a baseline"),
        (halved, "Random scores have chance"),
        (halved, "A plain loop finds the same ranks"),
    ],
)
def test_broken_counting_is_noticed(bench, monkeypatch, broken, noticed):
    monkeypatch.setattr(base, "count_better", broken)
    assert noticed in names(failed(instrument(bench)))


def test_a_broken_way_of_models_is_noticed(bench, monkeypatch):
    def above(interest_BD, catalogue, target_B, *rest):
        better_B, ties_B, candidates_B = DOTS(interest_BD, catalogue, target_B, *rest)
        return better_B + (len(target_B) > 1), ties_B, candidates_B  # it depends on the company

    monkeypatch.setattr(dot_ranks, "count_better_dots", above)
    bad = names(failed(instrument(bench)))
    assert "An oracle has every metric at its ceiling, as a model" in bad and "Blocks and processes" in bad
    assert "as a baseline" not in bad


def test_a_wrong_metric_is_noticed(bench, monkeypatch):
    monkeypatch.setitem(ranking.METRICS, "ndcg", ranking.METRICS["mrr"])
    bad = failed(instrument(bench))
    assert "A plain loop finds the same ranks and metrics" in names(bad)
    assert any("ndcg@" in check.found for check in bad)


def test_shuffled_time_needs_an_audit_that_sees_it(simulated, make_histories, monkeypatch):
    assert shuffled_time(simulated).passed
    assert shuffled_time(make_histories([1, 2, 3], has_times=False)).passed is None
    monkeypatch.setattr(audit_module, "_trained_later", lambda h, split: (0.0, 0.0))
    check = shuffled_time(simulated)
    assert check.passed is False and "a plain loop says" in check.found


def test_the_first_users_are_a_dataset_of_their_own(make_histories):
    histories = make_histories([1, 2, 3], [2, 3], [1, 3, 2, 1])
    part = first_users(histories, 5)
    assert part.n_users == 2 and part.items.tolist() == [1, 2, 3, 2, 3] and part.n_items == 3
    assert first_users(histories, 1).n_users == 1 and first_users(histories, 99).n_users == 3


@pytest.fixture
def small(tmp_path):
    words = ["data=simulated", "data.n_users=30", "data.n_items=60", f"paths.cache={tmp_path}"]
    config = compose(words)
    return config, *load(config)


def test_a_second_build_is_compared(small):
    config, histories, _ = small
    assert same_build(config, histories).passed
    items = histories.items.copy()
    items[0] = items[0] % histories.n_items + 1
    check = same_build(config, replace(histories, items=items))
    assert check.passed is False and "Delete" in check.mend


def test_a_study_asks_once(small, tmp_path, monkeypatch):
    config, histories, split = small
    asked: list[str] = []
    good = Check("a", True, "")

    def examine(*arguments):
        asked.append(arguments[1].digest)
        return [good]

    monkeypatch.setattr(before_study, "examine", examine)
    before_study.check_before_study(config, histories, split)
    before_study.check_before_study(config, histories, split)
    assert len(asked) == 1 and len(list((tmp_path / "instrument").glob("*.json"))) == 1
    before_study.check_before_study(config, replace(histories, digest="other"), split)
    assert asked == [histories.digest, "other"]
    monkeypatch.setattr(before_study, "code_digest", lambda: "changed")
    before_study.check_before_study(config, histories, split)
    assert len(asked) == 3


def test_every_dataset_selection_and_split_of_a_study_is_looked_at():
    words = ["data=simulated", "data.n_users=30", "data.n_items=60"]
    kinds = [
        ["fusion=sum", "seed=1"],
        ["fusion=gated", "seed=2"],  # another arm and seed of the same
        ["baseline=popularity", "seed=1"],
        ["split=leave_last_k"],
        ["split=leave_last_k", "split.k=2"],
        ["data.n_users=40"],
        ["selection=filter", "selection.user_core=5"],
        ["selection=filter", "selection.user_core=5", "fusion=gated"],
    ]
    configs = [compose([*words, *kind]) for kind in kinds]
    assert before_study.to_examine(configs) == [configs[i] for i in (0, 3, 4, 5, 6)]


def test_queries_of_another_version_of_a_split_are_asked_again(small):
    _, histories, split = small
    other = replace(split, test=replace(split.test, target=split.test.target[::-1].copy()))
    assert before_study.key(histories, split) == before_study.key(histories, replace(split))
    assert before_study.key(histories, other) != before_study.key(histories, split)


@pytest.mark.parametrize(
    "words",
    [
        ["split=session_wise", "split.column=session"],
        ["split=leave_last_k", "split.k=3"],
        ["split=global_temporal", "split.target=successive"],
    ],
)
def test_a_sound_instrument_passes_with_several_queries_a_user(words, tmp_path):
    sizes = ["data=simulated", "data.n_users=40", "data.n_items=60", "data.mean_length=20"]
    config = compose([*sizes, *words, f"paths.cache={tmp_path}"])
    histories, split = load(config)
    assert len(set(split.test.user.tolist())) < len(split.test)
    assert not failed(instrument(Bench.of(histories, split, 10)))


def test_a_study_does_not_start_on_a_broken_instrument(small, tmp_path, monkeypatch):
    config, histories, split = small
    bad = Check("Two and two", False, "they make five", "sums.py", "Mend sums.py.")
    monkeypatch.setattr(before_study, "examine", lambda *_: [bad])
    for _ in range(2):  # a failure is not remembered as an answer
        with pytest.raises(UserError, match=r"does not start.*Two and two: they make five \(sums\.py\)\. Mend"):
            before_study.check_before_study(config, histories, split)
    assert not list(tmp_path.glob("instrument/*"))
