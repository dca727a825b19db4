"""What explains the variance between the runs of a grid: its factors, how they interact, and the noise between seeds.

The balanced analysis of variance of ``factorial.py`` for two factors or more. One value is the mean of one run. The
effect of a part is what the means over the other factors have beyond all smaller parts, so the sums of squares add up
to the total. With three factors or more, what goes beyond pairs is one part, "higher interactions".

Source: Fisher 1925; Montgomery, Design and Analysis of Experiments, chapters 5 and 14.

Shape legend: K factors of L1 ... LK levels, S seeds; arrays have the shape ``(L1, ..., LK, S)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np

from research.errors import UserError
from research.statistics.factorial import Residual, Source, source_of

HIGHER = "higher interactions"


@dataclass(frozen=True, eq=False)
class Parts:
    """The analysis, in the units of the metric.

    Attributes:
        sources: each factor, each pair of factors, then the higher interactions where there are any.
        residual: the noise between seeds.
        main: per factor, the mean of each of its levels less the grand mean.
    """

    sources: tuple[Source, ...]
    residual: Residual
    main: tuple[np.ndarray, ...]


def variance_parts(value: np.ndarray, names: Sequence[str]) -> Parts:
    """Analyse a full grid.

    Args:
        value: one value a run, factors first, seeds last.
        names: of the factors.

    Raises:
        UserError: fewer than two factors; a factor with one level; one seed; a missing run.
    """
    value = np.asarray(value, dtype=np.float64)
    if value.ndim != len(names) + 1 or value.ndim < 3 or min(value.shape) < 2:
        raise UserError(
            f"An analysis of variance needs two factors, two levels of each and two seeds at least; got {value.shape} "
            f"for {', '.join(names)} and seeds."
        )
    if not np.isfinite(value).all():
        raise UserError("An analysis of variance needs every run of the grid. Finish them, or leave the level out.")
    levels, seeds = value.shape[:-1], value.shape[-1]
    cells = value.mean(axis=-1)
    effects: dict[tuple[int, ...], np.ndarray] = {(): cells.mean(keepdims=True)}
    for size in (1, 2):
        for part in combinations(range(len(names)), size):
            others = tuple(axis for axis in range(len(names)) if axis not in part)
            smaller = [found for key, found in effects.items() if set(key) < set(part)]
            effects[part] = cells.mean(axis=others, keepdims=True) - sum(smaller)
    squares = {
        " x ".join(names[axis] for axis in part): (prod(levels[axis] - 1 for axis in part), _squares(effect, value))
        for part, effect in effects.items()
        if part
    }
    if len(names) > 2:
        degrees = prod(levels) - 1 - sum(each for each, _ in squares.values())
        squares[HIGHER] = degrees, _squares(cells - sum(effects.values()), value)
    left, degrees = float(np.sum((value - cells[..., None]) ** 2)), prod(levels) * (seeds - 1)
    total = left + sum(each for _, each in squares.values())
    residual = Residual(degrees, left, left / degrees, left / total if total else 0.0)
    return Parts(
        sources=tuple(source_of(name, df, each, residual, total) for name, (df, each) in squares.items()),
        residual=residual,
        main=tuple(effects[(axis,)].ravel() for axis in range(len(names))),
    )


def _squares(effect: np.ndarray, value: np.ndarray) -> float:
    """Sum over all runs of an effect that is the same for several of them."""
    return float(np.sum(effect**2)) * (value.size / effect.size)
