"""Encoder x fusion as a factorial experiment: what each factor adds, whether they interact, what share is noise.

A balanced two-way analysis of variance with seeds as replicates. One value is the mean over users of one run, so the
residual is the noise between seeds and the analysis speaks of these users:

    value_efs = grand mean + main_e + main_f + interaction_ef + residual_efs

Sums of squares add up to the total. ``share`` is eta^2, a part's sum over the total; under no effect it is above zero
all the same. ``share_unbiased`` is omega^2, ``(SS - df MS_residual) / (SS_total + MS_residual)``, which is zero on
average then and may be negative (Hays, Statistics, 1963; Olejnik and Algina, Psychological Methods 8, 2003).

Source: Fisher 1925; any text on the design of experiments, for example Montgomery, chapter 5.

Shape legend: E levels of the first factor, F of the second, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from research.errors import UserError


@dataclass(frozen=True)
class Source:
    """One part of the variance and its test."""

    name: str
    degrees: int
    sum_of_squares: float
    mean_square: float
    f: float
    p: float
    share: float
    share_unbiased: float


@dataclass(frozen=True)
class Residual:
    """The noise between seeds, which the parts are tested against."""

    degrees: int
    sum_of_squares: float
    mean_square: float
    share: float


@dataclass(frozen=True, eq=False)
class Factorial:
    """The analysis and the effects, in the units of the metric.

    Attributes:
        sources: first factor, second factor, interaction.
        main_E: mean of a level minus the grand mean; ``main_F`` likewise. Each sums to zero.
        interaction_EF: what a cell has beyond its two main effects.
    """

    sources: tuple[Source, Source, Source]
    residual: Residual
    grand_mean: float
    main_E: np.ndarray
    main_F: np.ndarray
    interaction_EF: np.ndarray

    @property
    def seed_std(self) -> float:
        """Standard deviation over seeds within a cell, pooled over cells."""
        return self.residual.mean_square**0.5


def factorial_analysis(
    value_EFS: np.ndarray,
    first: Sequence[str],
    second: Sequence[str],
    names: tuple[str, str] = ("encoder", "fusion"),
) -> Factorial:
    """Analyse a full grid.

    Args:
        value_EFS: one value a run; NaN marks a missing run.
        first: names of the E levels; ``second`` of the F levels, for messages.
        names: of the two factors.

    Raises:
        UserError: a missing run (the design must be balanced), one seed only, a factor with one level.
    """
    value_EFS = np.asarray(value_EFS, dtype=np.float64)
    _check(value_EFS, first, second, names)
    e, f, s = value_EFS.shape
    cell_EF = value_EFS.mean(axis=2)
    grand = float(cell_EF.mean())
    main_E, main_F = cell_EF.mean(axis=1) - grand, cell_EF.mean(axis=0) - grand
    interaction_EF = cell_EF - grand - main_E[:, None] - main_F
    residual_EFS = value_EFS - cell_EF[:, :, None]
    of_E = f * s * float(np.sum(main_E**2))
    of_F = e * s * float(np.sum(main_F**2))
    of_EF = s * float(np.sum(interaction_EF**2))
    left, degrees = float(np.sum(residual_EFS**2)), e * f * (s - 1)
    total = of_E + of_F + of_EF + left
    residual = Residual(degrees, left, left / degrees, left / total if total else 0.0)
    sources = (
        source_of(names[0], e - 1, of_E, residual, total),
        source_of(names[1], f - 1, of_F, residual, total),
        source_of(f"{names[0]} x {names[1]}", (e - 1) * (f - 1), of_EF, residual, total),
    )
    return Factorial(sources, residual, grand, main_E, main_F, interaction_EF)


def source_of(name: str, df: int, squares: float, residual: Residual, total: float) -> Source:
    """A part from its degrees of freedom and its sum of squares, tested against the residual."""
    mean_square, error = squares / df, residual.mean_square
    # Runs without any seed noise: a part that is there at all is then certain.
    f = mean_square / error if error else (np.inf if squares else 0.0)
    p = 0.0 if np.isinf(f) else float(fdtrc(df, residual.degrees, f))
    share = squares / total if total else 0.0
    unbiased = (squares - df * error) / (total + error) if total else 0.0
    return Source(name, df, squares, mean_square, float(f), p, share, unbiased)


def _check(value_EFS: np.ndarray, first: Sequence[str], second: Sequence[str], names: tuple[str, str]) -> None:
    if value_EFS.ndim != 3 or value_EFS.shape[:2] != (len(first), len(second)):
        raise UserError(
            f"A factorial analysis of {names[0]} x {names[1]} needs a grid of {len(first)} x {len(second)} cells with "
            f"their seeds; got {value_EFS.shape}."
        )
    if min(value_EFS.shape) < 2:
        raise UserError(
            f"A factorial analysis needs two levels of each factor and two seeds at least; got {len(first)} of "
            f"{names[0]}, {len(second)} of {names[1]} and {value_EFS.shape[2]} seeds."
        )
    missing = np.argwhere(~np.isfinite(value_EFS))
    if len(missing):
        cells = list(dict.fromkeys(f"{first[i]} with {second[j]}" for i, j, _ in missing.tolist()))
        raise UserError(
            f"A factorial analysis needs every run of the grid; {len(missing)} are missing, in {', '.join(cells)}. "
            "Finish these runs, or leave the level out."
        )
