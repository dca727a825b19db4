"""One self-contained HTML page for a study: no network, no date, the same bytes from the same records.

Style, script and figures are inline. The content security policy admits this page's own script by its hash
and nothing else, so that text from a record could not run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from research.data.atomic import write_whole
from research.errors import UserError
from research.reports import sections
from research.reports.answer import headline_metric
from research.reports.grid import grid
from research.reports.hypertext import bullets, grid_table, paragraph
from research.reports.notes import failures, notes
from research.reports.records import StudyRecords, read_study
from research.reports.rows import rows
from research.reports.slices import sliced


def write_page(directory: Path | str, out: Path | str | None = None) -> Path:
    """Write a study's page, whole or not at all, and return its path.

    Args:
        directory: the study's directory.
        out: the file to write; ``report.html`` in the study's directory when None.

    Raises:
        UserError: the records cannot be read, no model has finished, or the file cannot be written.
    """
    records = read_study(directory)
    path = Path(out) if out is not None else Path(directory) / "report.html"
    content = page(records).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}. Name another file.") from error
    return path


def page(records: StudyRecords) -> str:
    """The page's HTML."""
    made = rows(records)
    metric = headline_metric(records.metrics)
    slices = sliced(records, [metric])
    buckets = slices[0][1]  # by history length
    script = _resource("page.js")
    failed = failures(made)
    return Template(_resource("page.html")).substitute(
        title=escape(f"Study {records.name}"),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        css=_resource("page.css"),
        question=paragraph(records.question or "The study states no question."),
        answers=sections.answers_section(records, made, metric),
        table=grid_table(grid(made), f"{records.name}: mean ± sample standard deviation over seeds"),
        notes=bullets(notes(records, made), "notes"),
        claims=sections.claims_section(records, made),
        variance=sections.variance_section(records, made, metric),
        tuning=sections.tuning_section(records, made),
        figures=sections.figures_section(records, made, buckets, metric),
        slices=sections.slices_section(records, slices, metric),
        failed=bullets(failed) if failed else paragraph("None."),
        protocol=sections.protocol_section(records),
        environment=sections.environment_section(records),
        regenerate=sections.regenerate_section(records),
        script=script,
    )


def _resource(name: str) -> str:
    return resources.files("research.reports").joinpath(name).read_text(encoding="utf-8")
