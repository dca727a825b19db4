"""Records -> rows, one for each cell of the study.

Values are computed from the stored ranks, so a table at another cut-off needs no new run. A row's mean is the
mean over seeds of the mean over test queries, which are one a user in most protocols; its std is the sample standard
deviation over seeds. Best and second best are sought among the trained arms of one group only.

Shape legend: N test queries of one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from research.errors import UserError
from research.reports.against import Part, against_baseline, baseline_of
from research.reports.groups import groups
from research.reports.order import in_order
from research.reports.records import Run, StudyRecords, read_study
from research.reports.row import PLACES, Failure, Mark, Row
from research.reports.scores import Selection, long_weight, means_over_users
from research.reports.summary import mean_of, summarise
from research.reports.tunings import tuning_of

__all__ = ["baseline_of", "read_study", "rows", "untested_rows"]


def rows(records: StudyRecords, metrics: Sequence[str] | None = None, select: Selection | None = None) -> list[Row]:
    """The study's rows in their stable order, tested against the baseline arm.

    Args:
        records: from ``read_study``.
        metrics: names such as ``"ndcg@10"``; the study's own when None.
        select: picks the users that count, ``Ranks -> (N,) bool``, everyone when None. Rows over some users are not
            tested here, as all buckets of a slicing are one family (``slices.py``).

    Raises:
        UserError: as ``untested_rows``.
    """
    names = tuple(metrics or records.metrics)
    if select is not None:
        return untested_rows(records, names, select)
    return list(against_baseline(records, [Part(tuple(untested_rows(records, names)))], names)[0])


def untested_rows(records: StudyRecords, metrics: Sequence[str], select: Selection | None = None) -> list[Row]:
    """The rows with their means alone.

    Args:
        metrics: names such as ``"ndcg@10"``.
        select: picks the users that count, ``Ranks -> (N,) bool``; everyone when None.

    Raises:
        UserError: no model run has finished; an unknown metric; ranks that contradict their record.
    """
    if not records.has_table:
        raise UserError(_nothing_finished(records))
    group_of = groups(records)
    cells: dict[str, list[Run]] = {}
    for run in records.runs:
        cells.setdefault(run.cell, []).append(run)
    made = [_row(records, runs, metrics, group_of[cell], select) for cell, runs in cells.items()]
    return _marked(in_order(records, made), metrics)


def _row(
    records: StudyRecords, runs: Sequence[Run], metrics: Sequence[str], group: str, select: Selection | None
) -> Row:
    done = [run for run in runs if run.ranks is not None]
    first = runs[0]
    model = first.kind == "model"
    scores = [means_over_users(run, metrics, select) for run in done]
    weights = [weight for run in done if (weight := long_weight(run, select)) is not None]
    reference = model and all(first.arm.get(key) == value for key, value in records.baseline.items())
    return Row(
        cell=first.cell,
        label=first.label,
        arm=first.arm,
        kind=first.kind,
        group=group,
        planned=len({*records.seeds, *(run.seed for run in runs)}) if model else len(runs),
        seeds=tuple(run.seed for run in done),
        failed=tuple(Failure(run.seed, run.reason or "") for run in runs if run.ranks is None),
        values={name: summarise([score[name] for score in scores]) for name in metrics} if done else {},
        marks={},
        parameters=mean_of([run.record.get("parameters") for run in done]),
        seconds=mean_of([run.section("seconds").get("train") for run in done]),
        epochs=mean_of([run.section("epochs").get("best") for run in done]) if model else None,
        branch_weight=summarise(weights) if weights else None,
        reference=bool(records.baseline) and reference,
        trials=(tuning_of(first.record) or {}).get("trials"),
    )


def _marked(ordered: list[Row], metrics: Sequence[str]) -> list[Row]:
    """Mark best and second best mean of each metric per group; a lone arm gets no mark."""
    marks: dict[str, dict[str, Mark]] = {row.cell: {} for row in ordered}
    for group in {row.group for row in ordered}:
        arms = [row for row in ordered if row.group == group and row.kind == "model" and row.values]
        for name in metrics:
            means = {row.cell: round(row.values[name].mean, PLACES) for row in arms}
            means = {cell: mean for cell, mean in means.items() if not np.isnan(mean)}
            first_two: dict[float, Mark] = dict(
                zip(sorted(set(means.values()), reverse=True), ("best", "second"), strict=False)
            )
            for cell, mean in means.items():
                if len(means) > 1 and mean in first_two:
                    marks[cell][name] = first_two[mean]
    return [replace(row, marks=marks[row.cell]) for row in ordered]


def _nothing_finished(records: StudyRecords) -> str:
    failed = records.failed
    start = f"Nothing to report: no model run of study {records.name!r} has finished in {records.directory}"
    if not failed:
        return f"{start}. Run `research study {records.name}` first."
    return (
        f"{start}: {len(failed)} failed, the first ({failed[0].label}, seed {failed[0].seed}) because: "
        f"{failed[0].reason}. Mend that and run `research study {records.name}` again."
    )
