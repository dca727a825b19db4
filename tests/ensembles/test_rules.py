"""Rules of fusion against loops, scipy and hand computation.

Shape legend: R runs, B queries, I items.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import logsumexp
from scipy.stats import rankdata, zscore

from research.ensembles.learned import Learned
from research.ensembles.ranks import Ranks, mean_ranks
from research.ensembles.weighted import Weighted
from research.errors import UserError

R, B, N_ITEMS = 3, 40, 25
SCORE_RBI = (
    torch.from_numpy(np.random.default_rng(0).normal(size=(R, B, N_ITEMS)))
    * torch.tensor([1.0, 10, 0.1])[:, None, None]
)


def test_weighted_is_the_weighted_mean_of_z_scores() -> None:
    expected = 0.2 * zscore(SCORE_RBI[0], axis=1) + 0.5 * zscore(SCORE_RBI[1], axis=1)
    expected = expected + 0.3 * zscore(SCORE_RBI[2], axis=1)
    rule = Weighted(R, [2, 5, 3])
    assert np.allclose(rule.combine(SCORE_RBI), expected)
    assert rule.weights == [0.2, 0.5, 0.3]


def test_a_run_that_scores_all_items_alike_has_no_say() -> None:
    flat = SCORE_RBI.clone()
    flat[1] = 4.0
    both = Weighted(R, [1, 1, 0]).combine(flat)
    assert torch.equal(both.argsort(dim=1), SCORE_RBI[0].argsort(dim=1))


def test_ranks_are_those_of_scipy_with_ties() -> None:
    tied = SCORE_RBI.round(decimals=1)
    assert len(np.unique(tied[2, 0])) < N_ITEMS, "the case has ties"
    assert np.array_equal(mean_ranks(tied), rankdata(-tied.numpy(), axis=-1))


def test_reciprocal_ranks_by_hand() -> None:
    score_RBI = torch.tensor([[[3.0, 2.0, 1.0]], [[1.0, 3.0, 3.0]]], dtype=torch.float64)
    expected = [0.5 / 61 + 0.5 / 63, 0.5 / 62 + 0.5 / 61.5, 0.5 / 63 + 0.5 / 61.5]
    assert Ranks(2, None).combine(score_RBI)[0].tolist() == pytest.approx(expected)


def test_learned_weights_are_those_of_another_optimiser() -> None:
    # The right item is drawn from a softmax of the first two runs' z-scores, so the third has nothing to say.
    z_RBI = zscore(SCORE_RBI.numpy(), axis=2)
    truth_BI = 1.5 * z_RBI[0] + 0.7 * z_RBI[1]
    probability_BI = np.exp(truth_BI - logsumexp(truth_BI, axis=1, keepdims=True))
    random = np.random.default_rng(1)
    target_B = np.array([random.choice(N_ITEMS, p=p) for p in probability_BI])

    def loss(log_R: np.ndarray) -> float:
        score_BI = np.einsum("r,rbi->bi", np.exp(log_R), z_RBI)
        return float(np.mean(logsumexp(score_BI, axis=1) - score_BI[np.arange(B), target_B]))

    expected = minimize(
        loss, np.zeros(R), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 5000}
    )
    rule = Learned(R, None)
    halves = [
        (SCORE_RBI[:, :15], torch.from_numpy(target_B[:15])),
        (SCORE_RBI[:, 15:], torch.from_numpy(target_B[15:])),
    ]
    rule.learn(halves)
    assert loss(np.log(rule.weight_R.numpy())) == pytest.approx(expected.fun, abs=1e-7)
    assert rule.weights[0] > rule.weights[1] > rule.weights[2]
    assert math.isclose(sum(rule.weights), 1)
    again = Learned(R, None)
    again.learn(halves)
    assert again.weights == rule.weights


def test_learned_refuses_given_weights() -> None:
    with pytest.raises(UserError, match="leave --weights out"):
        Learned(2, [1, 2])
