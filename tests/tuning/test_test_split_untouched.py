"""No trial can see a test item: the queries are gone before anything is trained, and their items change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from research.data.load import load
from research.training.fit import fit
from research.tuning import trial as trial_module
from research.tuning.space import Choice, Range
from research.tuning.trial import try_out, without_test
from research.tuning.tune import tune

L2 = {"baseline.l2": Range(1, 1000, log=True)}


class TouchedError(Exception):
    """Somebody looked at the test."""


class Forbidden:
    """Test queries that nobody may look at."""

    def __getattribute__(self, name: str) -> Any:
        raise TouchedError(name)

    def __len__(self) -> int:
        raise TouchedError("len")


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(config, **words):
        histories, split = load(config, **words)
        return histories, replace(split, test=Forbidden())

    monkeypatch.setattr(trial_module, "load", guarded)


@pytest.mark.parametrize(("words", "space"), [(("fusion=gated",), None), (("baseline=ease",), L2)])
def test_trials_do_not_look_at_test_queries(arm, forbid, words, space):
    tuning = arm(*words, trials=2, **({"space": space} if space else {}))
    result = tune(tuning)
    assert [t["state"] for t in result["tried"]] == ["complete"] * 2


def test_a_run_does_look_at_them(arm, tmp_path):
    """So the test above can fail."""
    config = arm().corners[0]
    histories, split = load(config)
    with pytest.raises(TouchedError):
        fit(config, histories, replace(split, test=Forbidden()), tmp_path / "run")  # type: ignore[arg-type]


def test_without_test_there_is_no_query(arm):
    _, split = load(arm().corners[0])
    bare = without_test(split)
    assert len(split.test) > 0 and len(bare.test) == 0 == len(bare.test.target)
    assert bare.train is split.train and bare.validation is split.validation


@pytest.mark.parametrize(("words", "space"), [(("fusion=gated",), None), (("baseline=ease",), L2)])
def test_other_test_items_give_the_same_trials(arm, monkeypatch, words, space):
    """Metamorphic: every test item becomes another; validation values stay the same to the last bit."""
    asked = {"trials": 2, **({"space": space} if space else {})}
    before = tune(arm(*words, **asked))

    def changed(config, **further):
        histories, split = load(config, **further)
        items = histories.items.copy()
        at = split.test.target
        items[at] = items[at] % histories.n_items + 1
        assert (items != histories.items).sum() == len(split.test)
        return replace(histories, items=items), split

    monkeypatch.setattr(trial_module, "load", changed)
    after = tune(arm(*words, where="changed", **asked))
    assert [t["validation"] for t in after["tried"]] == [t["validation"] for t in before["tried"]]


def test_a_trial_is_the_validation_of_a_run(arm, tmp_path):
    """Twin: the same configuration as a whole run finds the same best validation value."""
    config = arm().corners[1]
    histories, split = load(config)
    run = try_out(config, lambda epoch, value: False)
    curve = [row["val_ndcg@10"] for row in fit(config, histories, split, tmp_path / "run").curves]
    tried = run()
    assert tried.value == max(curve) and tried.epochs == len(curve)


def test_a_baseline_is_ranked_on_validation_items(arm):
    """By hand: NDCG@10 of the validation item among all unseen items, from the same scores."""
    config = arm("baseline=popularity", space={"data.n_users": Choice((40, 41))}).corners[0]
    histories, split = load(config)
    count = np.zeros(histories.n_items + 1)
    for start, stop in zip(split.train.start, split.train.stop, strict=True):
        for item in histories.items[start:stop]:
            count[item] += 1
    gains = []
    for start, stop, target in zip(split.validation.start, split.validation.stop, split.validation.target, strict=True):
        seen, wanted = set(histories.items[start:stop].tolist()), int(histories.items[target])
        others = [count[i] for i in range(1, histories.n_items + 1) if i not in seen and i != wanted]
        better, ties = sum(c > count[wanted] for c in others), sum(c == count[wanted] for c in others)
        places = range(better, better + ties + 1)
        gains.append(np.mean([1 / np.log2(place + 2) if place < 10 else 0.0 for place in places]))
    run = try_out(config, lambda epoch, value: False)
    assert run().value == pytest.approx(np.mean(gains))


def test_a_watcher_ends_a_training(arm):
    heard: list[int] = []

    def watch(epoch: int, value: float) -> bool:
        heard.append(epoch)
        return epoch == 2

    run: Callable[[], Any] = try_out(arm().corners[0], watch)
    assert run().epochs == 2 and heard == [1, 2]
