"""Parts of the variance over any number of factors: the analysis of two, nested least squares, level by simulation."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.statistics.factorial import factorial_analysis
from research.statistics.variance_parts import HIGHER, variance_parts


def test_two_factors_are_the_factorial_analysis() -> None:
    value = np.random.default_rng(0).normal(size=(3, 4, 5))
    found = variance_parts(value, ["encoder", "fusion"])
    expected = factorial_analysis(value, "abc", "abcd")
    assert [part.name for part in found.sources] == ["encoder", "fusion", "encoder x fusion"]
    for part, other in zip(found.sources, expected.sources, strict=True):
        assert (part.degrees, part.f, part.p) == pytest.approx((other.degrees, other.f, other.p))
        assert (part.share, part.share_unbiased) == pytest.approx((other.share, other.share_unbiased))
    assert found.residual.share == pytest.approx(expected.residual.share)
    assert found.main[0] == pytest.approx(expected.main_E)
    assert found.main[1] == pytest.approx(expected.main_F)


def explained_by(columns: list[np.ndarray], value: np.ndarray) -> float:
    """Sum of squares that a least-squares fit on indicator columns explains."""
    design = np.stack([np.ones(value.size), *columns], axis=1)
    fit = design @ np.linalg.lstsq(design, value.ravel(), rcond=None)[0]
    return float(np.sum((fit - value.mean()) ** 2))


def test_three_factors_by_nested_least_squares() -> None:
    shape = (2, 3, 2, 4)
    value = np.random.default_rng(1).normal(size=shape)
    level = [axis.ravel() for axis in np.indices(shape)[:3]]
    own = [[(level[k] == j) * 1.0 for j in range(shape[k])] for k in range(3)]
    main = {(k,): own[k] for k in range(3)}
    pairs = {(a, b): [x * y for x, y in product(own[a], own[b])] for a, b in combinations(range(3), 2)}
    expected = {key: explained_by(columns, value) for key, columns in main.items()}
    for (a, b), columns in pairs.items():
        expected[(a, b)] = explained_by([*own[a], *own[b], *columns], value) - expected[(a,)] - expected[(b,)]
    everything = [x * y * z for x, y, z in product(*own)]
    expected[(0, 1, 2)] = explained_by(everything, value) - sum(expected.values())
    found = variance_parts(value, ["a", "b", "c"])
    names = ["a", "b", "c", "a x b", "a x c", "b x c", HIGHER]
    assert [part.name for part in found.sources] == names
    assert [part.degrees for part in found.sources] == [1, 2, 1, 2, 1, 2, 2]
    assert [part.sum_of_squares for part in found.sources] == pytest.approx(list(expected.values()))
    assert found.residual.degrees == 2 * 3 * 2 * 3
    assert sum(part.share for part in found.sources) + found.residual.share == pytest.approx(1.0)
    part = found.sources[1]
    assert part.p == pytest.approx(stats.f.sf(part.f, 2, 36))


def test_level_under_no_effect(chance) -> None:
    rng, trials = np.random.default_rng(2), 1500
    every = [variance_parts(rng.normal(size=(2, 3, 2, 3)), ["a", "b", "c"]).sources for _ in range(trials)]
    for k in range(7):
        false = sum(sources[k].p <= 0.05 for sources in every)
        assert chance(trials).least(0.05) <= false <= chance(trials).most(0.05), every[0][k].name


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 2), (3, 3, 1)])
def test_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="two factors, two levels of each and two seeds at least"):
        variance_parts(np.zeros(shape), ["a", "b"][: len(shape) - 1])


def test_a_missing_run() -> None:
    value = np.zeros((2, 2, 2))
    value[0, 1, 0] = np.nan
    with pytest.raises(UserError, match="needs every run of the grid"):
        variance_parts(value, ["a", "b"])
