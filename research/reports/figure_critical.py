"""Figure: mean ranks over data sets and the critical difference, drawn with one arm a line.

The classic figure (Demsar, JMLR 7, 2006) sets names at both ends of a line. Here each arm has its own line, so that
long names fit a phone; a bar at the right joins arms that Nemenyi's test does not tell apart. Slices of one data set
are no replicates, as one trained model stands behind all of them; so only data sets count.

Shape legend: D data sets, A arms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import fill

import numpy as np

from research.reports.digits import metric_name, p_value
from research.reports.drawing import Plot, canvas, short_labels, style
from research.reports.groups import data_name, groups
from research.reports.palette import INK, styles
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.statistics.friedman import Friedman, friedman_test
from research.statistics.nemenyi import nemenyi_test

LEVEL = 0.05


def critical_figure(rows: Sequence[Row], records: StudyRecords, metric: str) -> Plot | None:
    """Mean ranks of the arms that finished on every data set; None with fewer than two data sets or three arms."""
    scores = _scores(rows, records, metric)
    shared = set.intersection(*(set(known) for known in scores.values())) if len(scores) > 1 else set()
    first = next(iter(scores.values()), {})
    arms = [replace(row, group="") for key, (row, _) in first.items() if key in shared]
    if len(arms) < 3:
        return None
    score_DA = np.array([[known[_key(row)][1] for row in arms] for known in scores.values()])
    ranked = friedman_test(score_DA)
    test = nemenyi_test(ranked.mean_rank_A, len(scores), LEVEL)
    order = np.argsort(test.mean_rank_A, kind="stable").tolist()
    looks, names = styles(arms), short_labels(arms)
    names = {row.cell: names[row.cell] for row in arms}
    with style():
        figure = canvas(1.0 + 0.34 * len(arms))
        ax = figure.add_subplot()
        for place, at in enumerate(order):
            look, rank = looks[arms[at].cell], float(test.mean_rank_A[at])
            ax.plot([1, rank], [place, place], color=INK, linewidth=0.8, alpha=0.5)
            ax.plot(rank, place, look.marker, color=look.color, markersize=7.5)
        for number, group in enumerate(test.groups):
            x = len(arms) + 0.3 + 0.15 * number * (len(arms) - 1) / 2
            ends = order.index(group[0]), order.index(group[-1])
            ax.plot([x, x], [ends[0] - 0.2, ends[1] + 0.2], color=INK, linewidth=3.5, solid_capstyle="butt")
        ax.plot([1, 1 + test.critical_difference], [-0.9, -0.9], "|-", color=INK, linewidth=1.5, markersize=7)
        ax.text(1, -1.05, f"critical difference {test.critical_difference:.2f}", fontsize=9, va="bottom")
        ax.set_yticks(range(len(arms)), [fill(names[arms[at].cell], 18) for at in order])
        ax.set_ylim(len(arms) - 0.5, -1.8)
        ax.set_xticks(range(1, len(arms) + 1))
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(f"Mean rank by {metric_name(metric)} (1 is best)")
    return Plot(
        name="critical",
        title="Critical differences over data sets",
        figure=figure,
        caption=f"Mean over {len(scores)} data sets. Arms that one bar at the right joins are not told "
        "apart by Nemenyi's test at level .05. "
        f"Friedman's test of no difference at all, {_p(ranked)}. "
        "Few data sets can show little.",
        alt=f"Mean rank by {metric_name(metric)} over {len(scores)} data sets: "
        + ", ".join(f"{names[arms[at].cell]} {test.mean_rank_A[at]:.2f}" for at in order)
        + f"; critical difference {test.critical_difference:.2f}.",
    )


def _p(ranked: Friedman) -> str:
    """F, which has no finite value, and no honest p, where all data sets have the same order."""
    if np.isfinite(ranked.f):
        return f"by Iman and Davenport's F: p {p_value(ranked.f_p)}"
    return f"by chi², as all data sets agree: p {p_value(ranked.p)}"


def _scores(
    rows: Sequence[Row], records: StudyRecords, metric: str
) -> dict[str, dict[tuple[tuple[str, str], ...], tuple[Row, float]]]:
    """Data set -> arm without its data axis -> its row and mean; empty where one data set has two protocols."""
    group_of, data_of = groups(records), {run.cell: data_name(run) for run in records.finished}
    pairs = {(data_of[cell], group_of[cell]) for cell in data_of}
    if len(pairs) != len({data for data, _ in pairs}):
        return {}
    found: dict[str, dict[tuple[tuple[str, str], ...], tuple[Row, float]]] = {}
    for row in rows:
        if row.kind == "model" and metric in row.values:
            found.setdefault(data_of[row.cell], {})[_key(row)] = row, row.values[metric].mean
    return found


def _key(row: Row) -> tuple[tuple[str, str], ...]:
    arm: Mapping[str, str] = row.arm
    return tuple((axis, value) for axis, value in arm.items() if axis != "data")
