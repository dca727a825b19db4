"""The study's table and figures as a run of its own in the tracker, beside the runs it was made of."""

from __future__ import annotations

from pathlib import Path

from research.reports.rows import read_study, rows
from research.schema import build
from research.studies.run_study import Standing
from research.training.loggers import Tracker, Wandb


def mirror_table(standing: Standing) -> None:
    """Send the table where the study's runs went; nothing without a tracker."""
    tracker = build(standing.runs[0].config.logger, Tracker)
    if isinstance(tracker, Wandb):
        send_table(tracker, standing.directory)


def send_table(tracker: Wandb, directory: Path) -> None:
    """Send the table and the figures of a study's directory.

    Raises:
        UserError: no study is there, or no model run of it has finished.
    """
    from research.reports.answer import headline_metric
    from research.reports.drawing import to_svg
    from research.reports.figures import figures
    from research.reports.slices import rows_by_history_length

    records = read_study(directory)
    table, metric = rows(records), headline_metric(records.metrics)
    header = ["arm", "seeds"]
    for metric in records.metrics:
        header += [metric, f"{metric} std"]
    body = []
    for row in table:
        line: list[object] = [row.label, len(row.seeds)]
        for metric in records.metrics:
            value = row.values.get(metric)
            line += [value.mean if value else None, value.std if value else None]
        body.append(line)
    drawn = figures(records, table, rows_by_history_length(records), metric)
    svgs = {f"figure/{plot.name}": to_svg(plot) for _, plots in drawn for plot in plots}
    tracker.log_table(directory, records.name, header, body, svgs)
