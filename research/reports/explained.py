"""What explains the variance between a study's arms: its axes, how they interact, or the noise between seeds.

For each group of data and protocol in which two axes or more are crossed. Arms that do not read every axis, as one
branch alone, are no part of the grid and are named. What is left has to be full, each arm with the same seeds: an
analysis of what happens to be there would mix the axes up, so there is none then, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import isinf
from typing import TYPE_CHECKING

import numpy as np

from research.reports.digits import DASH, MINUS, metric_name, p_value, signed
from research.reports.grid import Cell, Column, Grid, Line
from research.reports.records import StudyRecords
from research.reports.row import Row

if TYPE_CHECKING:
    from research.statistics.variance_parts import Parts

HEADING = "What explains the variance"
NAMED = 4
"""Missing arms that a sentence names; the others are counted."""


@dataclass(frozen=True)
class Explained:
    """The analysis of one group.

    Attributes:
        axes: axis -> its levels that are crossed.
        seeds: of every arm.
        left_out: labels of the arms that do not read every axis.
        parts: metric -> analysis; empty where there is none.
        reason: why there is none.
    """

    group: str
    axes: dict[str, tuple[str, ...]]
    seeds: int
    left_out: tuple[str, ...]
    parts: dict[str, Parts]
    reason: str = ""


def explained(records: StudyRecords, rows: Sequence[Row]) -> list[Explained]:
    """Each group where axes are crossed; none in a study that varies one thing only."""
    found = [_of_group(records, group, rows) for group in dict.fromkeys(row.group for row in rows)]
    return [each for each in found if each is not None]


def explained_grid(found: Sequence[Explained]) -> Grid | None:
    """A line for each part of each metric; None where nothing was analysed."""
    grouped = any(each.group for each in found)
    columns = [Column("Data", numeric=False)] * grouped
    columns += [Column("Metric", numeric=False), Column("Part", numeric=False), Column("Degrees")]
    columns += [Column("Share of variance"), Column("Unbiased share"), Column("F"), Column("p")]
    lines: list[Line] = []
    for each in found:
        for metric, parts in each.parts.items():
            head = [Cell(each.group, order=each.group)] * grouped
            name = Cell(metric_name(metric), order=metric)
            for at, part in enumerate(parts.sources):
                cells = [*head, name, Cell(part.name, order=part.name), Cell(str(part.degrees), order=part.degrees)]
                cells += [_percent(part.share), _percent(part.share_unbiased), _f(part.f)]
                lines.append(Line(None, (*cells, Cell(p_value(part.p), order=part.p)), rule=at == 0 and bool(lines)))
            seeds = parts.residual
            cells = [*head, name, Cell("seeds", order="seeds"), Cell(str(seeds.degrees), order=seeds.degrees)]
            lines.append(Line(None, (*cells, _percent(seeds.share), *[Cell(DASH)] * 3), rule=False))
    return Grid(tuple(columns), tuple(lines)) if lines else None


def explained_notes(found: Sequence[Explained], metric: str) -> list[str]:
    """How to read the table, the effects on one metric, and what is not in it."""
    lines = []
    if any(each.parts for each in found):
        lines.append(
            "Balanced analysis of variance of one value a run, its mean. Share: sum of squares over the total. "
            "Unbiased: omega squared, zero on average where there is no effect. F is against the noise between seeds, "
            "so p speaks of these test users; p are not corrected. Where axes interact, no level is best by itself: "
            "compare arms."
        )
    for each in found:
        start = f"{each.group}: " if each.group else ""
        if each.reason:
            lines.append(f"{start}No analysis of variance: {each.reason}.")
        if parts := each.parts.get(metric):
            said = [
                f"{axis}: " + ", ".join(f"{level} {signed(float(e))}" for level, e in zip(levels, effect, strict=True))
                for (axis, levels), effect in zip(each.axes.items(), parts.main, strict=True)
            ]
            size = " x ".join(str(len(levels)) for levels in each.axes.values())
            lines.append(
                f"{start}{size} arms, {each.seeds} seeds. Mean {metric_name(metric)} of each level less the mean of "
                f"all these arms: {'; '.join(said)}."
            )
        if each.left_out:
            lines.append(f"{start}Not in the grid, as they do not read every axis: {', '.join(each.left_out)}.")
    return lines


def _of_group(records: StudyRecords, group: str, rows: Sequence[Row]) -> Explained | None:
    arms = [row for row in rows if row.group == group and row.kind == "model"]
    varied = [axis for axis in records.axes if len({row.arm[axis] for row in arms if axis in row.arm}) > 1]
    inside = [row for row in arms if all(axis in row.arm for axis in varied)]
    present = {axis: {row.arm[axis] for row in inside} for axis in varied}
    axes = {axis: tuple(v for v in records.axes[axis] if v in present[axis]) for axis in varied}
    axes = {axis: levels for axis, levels in axes.items() if len(levels) > 1}
    if len(axes) < 2:
        return None
    at: dict[tuple[str, ...], list[Row]] = {}
    for row in inside:
        at.setdefault(tuple(row.arm[axis] for axis in axes), []).append(row)
    left_out = tuple(row.label for row in arms if row not in inside)
    reason = _unbalanced(list(product(*axes.values())), at)
    if reason:
        return Explained(group, axes, 0, left_out, {}, reason)
    from research.statistics.variance_parts import variance_parts

    shape, seeds = [len(levels) for levels in axes.values()], len(inside[0].seeds)
    parts = {}
    for metric in inside[0].values:
        values = [at[point][0].values[metric].per_seed for point in product(*axes.values())]
        parts[metric] = variance_parts(np.reshape(values, (*shape, seeds)), list(axes))
    return Explained(group, axes, seeds, left_out, parts)


def _unbalanced(points: Sequence[tuple[str, ...]], at: dict[tuple[str, ...], list[Row]]) -> str:
    """Why a grid cannot be analysed; empty where it can."""
    missing = [point for point in points if not any(row.seeds for row in at.get(point, ()))]
    if missing:
        named = "; ".join(" with ".join(point) for point in missing[:NAMED])
        more = f"; and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        return f"the axes are not fully crossed, {len(missing)} of {len(points)} arms are missing ({named}{more})"
    if any(len(at[point]) > 1 for point in points):
        return "several arms have the same values of these axes"
    seeds = [at[point][0].seeds for point in points]
    if any(each != seeds[0] for each in seeds):
        return "the arms do not all have the same seeds"
    return "" if len(seeds[0]) > 1 else "one seed does not show the noise between seeds"


def _percent(share: float) -> Cell:
    text = f"{abs(share):.1%}".replace("%", " %")
    return Cell(f"{MINUS}{text}" if share < 0 and text != "0.0 %" else text, order=share)


def _f(value: float) -> Cell:
    """Without any noise between seeds F is infinite, which says nothing."""
    return Cell(DASH) if isinf(value) else Cell(f"{value:.2f}", order=value)
