"""The study's answer in one plain sentence, computed from the rows.

It compares means with the spread over seeds and nothing else. Whether a difference would hold for other users
is a paired test over users, which is not made here, so no word of this sentence speaks of significance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from research.reports.digits import metric_name, score, spread
from research.reports.row import PLACES, Row
from research.reports.rows import baseline_of

PREFERRED = "ndcg@10"


def headline_metric(metrics: Sequence[str]) -> str:
    """The metric of the answer and the figures: NDCG@10, on which models are selected, else the first."""
    return PREFERRED if PREFERRED in metrics else metrics[0]


def answer(rows: Sequence[Row], metric: str, baseline: Mapping[str, str]) -> str:
    """Which arm of one group has the highest mean, and how far it is from its baseline arm.

    Args:
        rows: one group's rows.
        baseline: the study's baseline values, axis -> value; may be empty.
    """
    arms = [row for row in rows if row.kind == "model" and metric in row.values]
    if not arms:
        return "No arm has finished yet."
    ranked = sorted(arms, key=lambda row: -row.values[metric].mean)
    top = ranked[0]
    name = metric_name(metric)
    seeds = f"{len(top.seeds)} seed{'s' if len(top.seeds) != 1 else ''}"
    start = f"{top.label} has the highest mean {name}, {_value(top, metric)} over {seeds}"
    reference = baseline_of(top, arms, baseline)
    if len(arms) == 1:
        start = f"{top.label} has a mean {name} of {_value(top, metric)} over {seeds}"
        start += "; no other arm has finished yet"
    elif reference is None:
        start += f"; {_difference(top, ranked[1], metric, 'the next arm')}"
    elif reference is top:
        start += f", and it is the baseline arm; {_difference(top, ranked[1], metric, 'the next arm')}"
    else:
        start += f"; {_difference(top, reference, metric, 'the baseline arm')}"
    return f"{start}.{_untrained(rows, top, metric)}"


def _value(row: Row, metric: str) -> str:
    value = row.values[metric]
    return f"{score(value.mean)} {spread(value)}".rstrip()


def _difference(top: Row, other: Row, metric: str, role: str) -> str:
    high, low = top.values[metric], other.values[metric]
    gap = high.mean - low.mean
    if round(gap, PLACES) == 0:
        return f"{role}, {other.label}, has the same to four digits"
    said = f"that is {score(gap)} above {role}, {other.label} ({_value(other, metric)})"
    if high.std is None or low.std is None:
        return f"{said}, with too few seeds to know the seed spread"
    both = high.std + low.std
    if gap < both:
        return f"{said}, which is within seed spread (the two standard deviations add up to {score(both)})"
    return f"{said}, more than the seed spread (the two standard deviations add up to {score(both)})"


def _untrained(rows: Sequence[Row], top: Row, metric: str) -> str:
    """A warning when a row without training does as well as the best arm."""
    better = [row for row in rows if row.kind != "model" and metric in row.values]
    better = [row for row in better if row.values[metric].mean >= top.values[metric].mean]
    if not better:
        return ""
    best = max(better, key=lambda row: row.values[metric].mean)
    return f" {best.label}, which is not trained by gradient, has {_value(best, metric)}: no arm is above it."
