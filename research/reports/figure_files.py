"""A study's figures as vector files for a paper: SVG and PDF of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from research.data.atomic import write_whole
from research.errors import UserError
from research.reports.answer import headline_metric
from research.reports.drawing import Plot, to_pdf, to_svg
from research.reports.figures import figures
from research.reports.records import read_study
from research.reports.rows import rows
from research.reports.slices import rows_by_history_length


def write_figures(study: Path | str, target: Path | str) -> list[Path]:
    """Draw a study's figures into a directory and return the files.

    Raises:
        UserError: the records cannot be read, no model has finished, or a file cannot be written.
    """
    records = read_study(study)
    metric = headline_metric(records.metrics)
    drawn = figures(records, rows(records), rows_by_history_length(records, [metric]), metric)
    try:
        return write_plots(drawn, Path(target))
    except OSError as error:
        raise UserError(
            f"Cannot write figures to {target}: {error.strerror or error}. Name another directory."
        ) from error


def write_plots(drawn: Sequence[tuple[str, Sequence[Plot]]], target: Path) -> list[Path]:
    """``arms.svg`` and ``arms.pdf``, with the group's name in front where the study has several."""
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for group, plots in drawn:
        for plot in plots:
            words = "".join(c if c.isalnum() or c in "._-" else " " for c in f"{group} {plot.name}".lower())
            stem = "-".join(words.split())
            for suffix, content in ((".svg", to_svg(plot).encode()), (".pdf", to_pdf(plot))):
                write_whole(target / f"{stem}{suffix}", content)
                written.append(target / f"{stem}{suffix}")
    return written
