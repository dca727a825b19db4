"""Encoder x fusion: a textbook's table, plain loops, scipy, level and bias by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.factorial import Factorial, factorial_analysis

# Battery life in hours, 3 materials x 3 temperatures x 4 batteries (Montgomery, Design and Analysis of Experiments).
BATTERY = np.array(
    [
        [[130, 155, 74, 180], [34, 40, 80, 75], [20, 70, 82, 58]],
        [[150, 188, 159, 126], [136, 122, 106, 115], [25, 70, 58, 45]],
        [[138, 110, 168, 160], [174, 120, 150, 139], [96, 104, 82, 60]],
    ],
    dtype=float,
)
THREE = ("a", "b", "c")


def analyse(value_EFS: np.ndarray) -> Factorial:
    e, f, _ = value_EFS.shape
    return factorial_analysis(value_EFS, [f"e{i}" for i in range(e)], [f"f{i}" for i in range(f)])


def test_a_textbooks_table() -> None:
    result = factorial_analysis(BATTERY, THREE, THREE, ("material", "temperature"))
    (material, temperature, both), error = result.sources, result.residual
    assert [s.name for s in (material, temperature, both)] == ["material", "temperature", "material x temperature"]
    assert [s.degrees for s in (material, temperature, both, error)] == [2, 2, 4, 27]
    squares = [s.sum_of_squares for s in (material, temperature, both, error)]
    assert squares == pytest.approx([10683.72, 39118.72, 9613.78, 18230.75], abs=0.005)
    assert [s.f for s in (material, temperature, both)] == pytest.approx([7.91, 28.97, 3.56], abs=0.005)
    assert [s.p for s in (material, temperature, both)] == pytest.approx([0.0020, 0.0000, 0.0186], abs=5e-5)


def test_effects_by_plain_loops() -> None:
    value = np.random.default_rng(0).normal(size=(2, 4, 3))
    result = analyse(value)
    grand = sum(value.ravel().tolist()) / 24
    assert result.grand_mean == pytest.approx(grand)
    for i in range(2):
        row = sum(value[i].ravel().tolist()) / 12 - grand
        assert result.main_E[i] == pytest.approx(row)
        for j in range(4):
            column = sum(value[:, j].ravel().tolist()) / 6 - grand
            cell = sum(value[i, j].tolist()) / 3
            assert result.main_F[j] == pytest.approx(column)
            assert result.interaction_EF[i, j] == pytest.approx(cell - grand - row - column)


def test_parts_together_are_one_way_analysis_of_cells() -> None:
    value = np.random.default_rng(1).normal(size=(3, 4, 5))
    parts, error = analyse(value).sources, analyse(value).residual
    f = sum(s.sum_of_squares for s in parts) / sum(s.degrees for s in parts) / error.mean_square
    assert f == pytest.approx(stats.f_oneway(*value.reshape(12, 5)).statistic)
    assert sum(s.sum_of_squares for s in (*parts, error)) == pytest.approx(np.sum((value - value.mean()) ** 2))
    assert sum(s.share for s in (*parts, error)) == pytest.approx(1.0)


def test_pooled_seed_spread() -> None:
    value = np.random.default_rng(2).normal(size=(3, 2, 4))
    expected = np.mean([np.var(value[i, j], ddof=1) for i in range(3) for j in range(2)]) ** 0.5
    assert analyse(value).seed_std == pytest.approx(expected)


def test_additive_arms_have_no_interaction() -> None:
    value = np.array([0.1, 0.2])[:, None, None] + np.array([0.0, 0.3, 0.5])[:, None] + np.array([-0.01, 0.01])
    result = analyse(value)
    encoder, fusion, both = result.sources
    assert both.share == pytest.approx(0, abs=1e-12)
    assert both.p == pytest.approx(1.0)
    # Encoder: 6 runs x 2 levels x .05^2; fusion: 4 runs x (.8^2 + .1^2 + .7^2) / 9; seeds: 12 runs x .01^2
    squares = [0.03, 4 * 1.14 / 9, 0.0012]
    assert [encoder.share, fusion.share, result.residual.share] == pytest.approx([x / sum(squares) for x in squares])


def test_runs_without_noise_are_certain() -> None:
    value = np.zeros((2, 2, 2))
    assert [s.p for s in analyse(value).sources] == [1.0, 1.0, 1.0]
    value[1] = 1.0
    assert [s.p for s in analyse(value).sources] == [0.0, 1.0, 1.0]


def test_level_and_unbiased_share_under_no_effect(chance) -> None:
    rng, trials = np.random.default_rng(3), 3000
    every = [analyse(rng.normal(0.1, 0.004, size=(4, 6, 3))).sources for _ in range(trials)]
    for k in range(3):
        false = sum(sources[k].p <= 0.05 for sources in every)
        assert chance(trials).least(0.05) <= false <= chance(trials).most(0.05), every[0][k].name
        unbiased = [sources[k].share_unbiased for sources in every]
        assert np.mean(unbiased) == pytest.approx(0, abs=4 * np.std(unbiased) / trials**0.5 + 1e-3)
        assert np.mean([sources[k].share for sources in every]) > 0.02, "eta^2 is biased upwards"


def test_finds_an_interaction(chance) -> None:
    """One fusion helps one encoder only; by the noncentral F distribution it is found in most trials."""
    rng, trials = np.random.default_rng(4), 300
    effect = np.zeros((2, 3, 1))
    effect[1, 2] = 3.0
    noncentral = 5 * np.sum((effect[..., 0] - effect.mean(axis=1) - effect.mean(axis=0)[:, 0] + effect.mean()) ** 2)
    power = stats.ncf.sf(stats.f.isf(0.05, 2, 24), 2, 24, noncentral)
    found = sum(analyse(effect + rng.normal(size=(2, 3, 5))).sources[2].p <= 0.05 for _ in range(trials))
    assert chance(trials).least(power) <= found <= chance(trials).most(power)


class TestRefused:
    def test_a_missing_run_is_named(self) -> None:
        value = BATTERY.copy()
        value[0, 2, 1] = np.nan
        with pytest.raises(UserError, match="1 are missing, in gru with gated"):
            factorial_analysis(value, ("gru", "lstm", "transformer"), ("sum", "concat", "gated"))

    def test_one_seed(self) -> None:
        with pytest.raises(UserError, match="two seeds at least; got 3 of encoder, 3 of fusion and 1 seeds"):
            factorial_analysis(BATTERY[..., :1], THREE, THREE)

    def test_another_grid(self) -> None:
        with pytest.raises(UserError, match=r"3 x 2 cells with their seeds; got \(3, 3, 4\)"):
            factorial_analysis(BATTERY, THREE, THREE[:2])
