"""The study's answer in one plain sentence, computed from the rows.

It names the arm with the highest mean, how far it is from its baseline arm beside the spread over seeds, and what the
paired test over users and seeds says of that, after correction for all comparisons of the table. The best of several
arms is chosen by looking, which the correction allows for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from research.reports.digits import metric_name, p_value, score, signed, spread
from research.reports.row import PLACES, Row
from research.reports.rows import baseline_of

if TYPE_CHECKING:
    from research.statistics.verdict import Verdict

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
        start += _verdict(ranked[1].against.get(metric), -1)
    else:
        start += f"; {_difference(top, reference, metric, 'the baseline arm')}"
        start += _verdict(top.against.get(metric), 1)
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


def _verdict(said: Verdict | None, side: int) -> str:
    """What the test says of the difference; ``side`` is -1 where it was made the other way round."""
    if said is None:
        return ""
    if not said.seed_noise_known:
        return "; one seed only, so a test knows the noise of users but not of seeds, and decides nothing"
    ends = (said.interval.low, said.interval.high) if side > 0 else (-said.interval.high, -said.interval.low)
    found = f"interval {signed(ends[0])} to {signed(ends[1])}, adjusted p {p_value(said.p_adjusted)}"
    if said.outcome == ("supported" if side > 0 else "refuted"):
        return f"; a paired test over users and seeds supports the difference ({found})"
    return f"; a paired test over users and seeds leaves it undecided at this size ({found})"


def _untrained(rows: Sequence[Row], top: Row, metric: str) -> str:
    """A warning when a row without training does as well as the best arm."""
    better = [row for row in rows if row.kind != "model" and metric in row.values]
    better = [row for row in better if row.values[metric].mean >= top.values[metric].mean]
    if not better:
        return ""
    best = max(better, key=lambda row: row.values[metric].mean)
    return f" {best.label}, which is not trained by gradient, has {_value(best, metric)}: no arm is above it."
