"""The footer's lines on the comparisons of a table: what a dagger means, what is left out, what size would decide."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from research.reports.against import baseline_of
from research.reports.answer import headline_metric
from research.reports.claimed import METHODS
from research.reports.digits import DAGGER, DOUBLE_DAGGER, metric_name, score
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.slices import Bucket
from research.reports.tested import ALPHA, Asked, pair_of, runs_of
from research.statistics.claims import Claim

SMALL = 0.01
"""The difference that the line on size asks for, as a share of the baseline arm's mean."""


def comparison_notes(records: StudyRecords, rows: Sequence[Row]) -> list[str]:
    """Sentences in plain text."""
    tests = sum(len(row.against) for row in rows)
    if not tests:
        return ["No paired comparison over users is given here: differences of means are not findings."]
    lines = [
        f"{DAGGER} above, {DOUBLE_DAGGER} below the baseline arm: paired by user, noise of seeds included (sign flips "
        f"over users and t over seeds and users, the larger p), {_corrected(records, tests)}. "
        "Without a mark it is undecided at this size, not equal."
    ]
    single = [row.label for row in rows if any(not each.seed_noise_known for each in row.against.values())]
    if single:
        lines.append(
            f"One seed: users only, for {', '.join(single)} against the baseline arm. The p of these rows leave out "
            "the noise between seeds, so they have no mark."
        )
    return lines + _sizes(records, rows, tests)


def slice_notes(records: StudyRecords, buckets: Sequence[Bucket]) -> list[str]:
    """What the daggers of one slicing mean; nothing where nothing was tested."""
    tests = sum(len(row.against) for bucket in buckets for row in bucket.rows)
    if not tests:
        return []
    counted = "queries" if records.several else "users"
    return [
        f"{DAGGER} above, {DOUBLE_DAGGER} below the baseline arm among the {counted} of the bucket, tested as in the "
        f"table, {_corrected(records, tests)}, all buckets together."
    ]


def _corrected(records: StudyRecords, tests: int) -> str:
    count = f"{tests} comparison{'s' * (tests > 1)}"
    return f"{METHODS[records.family]} over {count}, level {score(ALPHA, 2)}"


def _sizes(records: StudyRecords, rows: Sequence[Row], tests: int) -> list[str]:
    """What a small difference would need, in the middle of the trained arms; silent where seeds are too few to say."""
    from research.statistics.power import Plan, plan

    runs, metric = runs_of(records), headline_metric(list(rows[0].values) or list(records.metrics))
    lines = []
    for group in dict.fromkeys(row.group for row in rows):
        plans: list[Plan] = []
        users = seeds = 0
        for row in rows:
            reference = baseline_of(row, rows, records.baseline)
            if row.group != group or row.kind != "model" or metric not in row.against or reference is None:
                continue
            claim = Claim(row.label, reference.label, metric, row.label)
            pair = pair_of(Asked(claim, runs[row.cell], runs[reference.cell]))
            if pair is not None and pair.seed_noise_known and reference.values[metric].mean > 0:
                plans.append(plan(pair, relative=SMALL, alpha=ALPHA / tests))
                users, seeds = pair.users, min(pair.seeds)
        if plans:
            more_seeds = _middle([each.seeds_needed for each in plans], "seeds", f"these {users:,} users")
            more_users = _middle([each.users_needed for each in plans], "users", f"{seeds} seeds")
            lines.append(
                f"{f'{group}: t' if group else 'T'}o find a difference of {SMALL:.0%} in {metric_name(metric)} to the "
                f"baseline arm in four of five studies, {more_seeds}; {more_users} "
                "(median over the arms, an order of magnitude)."
            )
    return lines


def _middle(needed: Sequence[int | None], what: str, beside: str) -> str:
    """The median to two digits; None counts as more than any number."""
    middle = median(float("inf") if number is None else float(number) for number in needed)
    if middle == float("inf"):
        return f"no number of {what} suffices with {beside}"
    return f"{float(f'{middle:.2g}'):,.0f} {what} suffice with {beside}"
