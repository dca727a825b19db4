"""Proposals are Optuna's own, and a function of the seed and of what has ended."""

from __future__ import annotations

import sys

import optuna
import pytest

from research.errors import UserError
from research.tuning.budget import Budget
from research.tuning.proposals import distributions, need_optuna, propose, seed_of
from research.tuning.space import Choice, Range

SPACE = {
    "lr": Range(0.0003, 0.01, log=True),
    "wide": Range(0, 5),
    "k": Range(2, 20, whole=True),
    "dropout": Choice((0.1, 0.2, 0.5)),
}


def sequence(budget: Budget, space=SPACE, values=None) -> list[dict]:
    """The proposals of a whole tuning; trial ``n`` comes out with ``values[n]``."""
    ended: list[optuna.trial.FrozenTrial] = []
    for number in range(budget.trials):
        study, trial = propose(budget, space, ended)
        study.tell(trial, values[number] if values else 0.5)
        ended = study.get_trials()
    return [trial.params for trial in ended]


def test_the_random_sampler_is_optunas():
    """Twin: a fresh sampler of Optuna with the seed of each trial, asked without any of our code."""
    budget = Budget(trials=5, sampler="random", seed=3)
    expected = []
    for number in range(5):
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed_of(budget, number)))
        trial = study.ask()
        expected.append(
            {
                "lr": trial.suggest_float("lr", 0.0003, 0.01, log=True),
                "wide": trial.suggest_float("wide", 0, 5),
                "k": trial.suggest_int("k", 2, 20),
                "dropout": trial.suggest_categorical("dropout", [0.1, 0.2, 0.5]),
            }
        )
    assert sequence(budget) == expected
    assert len({tuple(params.values()) for params in expected}) == 5


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_proposals_follow_the_seed(sampler):
    budget = Budget(trials=6, sampler=sampler, seed=1)
    assert sequence(budget) == sequence(budget)
    assert sequence(budget)[0] != sequence(Budget(trials=6, sampler=sampler, seed=2))[0]


def test_tpe_looks_at_what_has_ended_and_random_does_not():
    rising, falling = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    tpe, random = Budget(trials=6, sampler="tpe", seed=1), Budget(trials=6, sampler="random", seed=1)
    assert tpe.startup == 2
    one, other = sequence(tpe, values=rising), sequence(tpe, values=falling)
    assert one[:2] == other[:2] and one[3:] != other[3:]
    assert sequence(random, values=rising) == sequence(random, values=falling)


def test_a_grid_visits_each_point_once():
    space = {"a": Choice((1, 2, 3)), "b": Choice(("x", "y"))}
    found = sequence(Budget(trials=6, sampler="grid", seed=5), space)
    assert sorted((p["a"], p["b"]) for p in found) == [(a, b) for a in (1, 2, 3) for b in ("x", "y")]


def test_whole_numbers_are_whole():
    assert isinstance(distributions(SPACE)["k"], optuna.distributions.IntDistribution)
    assert all(isinstance(p["k"], int) for p in sequence(Budget(trials=2, sampler="random")))


def test_without_optuna_the_mend_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match=r"pip install 'interest-fusion\[tune\]'"):
        need_optuna()
