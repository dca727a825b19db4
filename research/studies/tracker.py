"""The study's table as a run of its own in the tracker, beside the runs it was made of."""

from __future__ import annotations

from research.reports.rows import read_study, rows
from research.schema import build
from research.studies.run_study import Standing
from research.training.loggers import Tracker, Wandb


def mirror_table(standing: Standing) -> None:
    """Send the table where the study's runs went; nothing without a tracker."""
    tracker = build(standing.runs[0].config.logger, Tracker)
    if not isinstance(tracker, Wandb):
        return
    records = read_study(standing.directory)
    header = ["arm", "seeds"]
    for metric in records.metrics:
        header += [metric, f"{metric} std"]
    body = []
    for row in rows(records):
        line: list[object] = [row.label, len(row.seeds)]
        for metric in records.metrics:
            value = row.values.get(metric)
            line += [value.mean if value else None, value.std if value else None]
        body.append(line)
    tracker.log_table(standing.directory, records.name, header, body)
