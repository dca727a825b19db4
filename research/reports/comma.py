"""The study's rows as CSV: full precision, one line a row, and on each line what makes it comparable.

There are no comment lines, which many readers cannot skip: protocol, data, code and identity are columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from research.reports.groups import data_name, protocol
from research.reports.notes import identity
from research.reports.records import StudyRecords, plain
from research.reports.row import Row
from research.reports.tunings import tuning_of

if TYPE_CHECKING:
    from research.statistics.verdict import Verdict

TESTED = ("difference", "ci_low", "ci_high", "ci_level", "p", "p_adjusted", "verdict")
"""Of a row against its baseline arm; the interval has the level of its own test after correction."""


def csv_table(rows: Sequence[Row], records: StudyRecords) -> str:
    """Header and rows, comma separated, LF line ends; an unknown value is an empty field."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.values))
    first_run = {run.cell: run for run in reversed(records.finished)}
    written = io.StringIO()
    head = ["label", "kind", "cell", *(f"arm.{axis}" for axis in records.axes)]
    head += ["seeds", "planned", "failed"]
    tested = any(row.against for row in rows)
    parts = ("mean", "std", *(TESTED if tested else ()))
    head += [f"{name} {part}" for name in metrics for part in parts]
    head += ["compared with", "p knows"] if tested else []
    head += ["long weight mean", "parameters", "train seconds", "best epoch"]
    tuned = [said for run in records.finished if (said := tuning_of(run.record))]
    keys = list(dict.fromkeys(key for said in tuned for key in said["chosen"]))
    head += ["trials", *(f"chosen.{key}" for key in keys)] if keys else []
    head += ["data", "data digest", "protocol", "commit", "study", "identity"]
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        line: list[object] = [row.label, row.kind, row.cell, *(row.arm.get(axis) for axis in records.axes)]
        line += [len(row.seeds), row.planned, len(row.failed)]
        for name in metrics:
            value = row.values.get(name)
            line += [value.mean, value.std] if value else [None, None]
            line += comparison(row.against.get(name)) if tested else []
        line += _compared(row) if tested else []
        line += [
            row.branch_weight.mean if row.branch_weight else None,
            row.parameters,
            row.seconds,
            row.epochs,
        ]
        run = first_run.get(row.cell)
        chosen = (tuning_of(run.record) if run else None) or {}
        line += [row.trials, *(chosen.get("chosen", {}).get(key) for key in keys)] if keys else []
        origin = [data_name(run), plain(run.section("data").get("digest", "")), protocol(run)] if run else [None] * 3
        commit = plain(run.section("code").get("commit", "")) if run else None
        writer.writerow([*line, *origin, commit, records.name, identity(records)])
    return written.getvalue()


def comparison(said: Verdict | None) -> list[object]:
    """The columns of ``TESTED``."""
    if said is None:
        return [None] * len(TESTED)
    ends = said.interval.low, said.interval.high, said.interval.level
    return [said.difference, *ends, said.p, said.p_adjusted, said.outcome]


def _compared(row: Row) -> list[object]:
    """With which arm, and the noise of what p knows."""
    said = next(iter(row.against.values()), None)
    if said is None:
        return [None, None]
    return [said.claim.worse, "users and seeds" if said.seed_noise_known else "one seed: users only"]
