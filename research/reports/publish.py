"""What a study measured, as it is committed: table, figures, page, and the records they came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from research.data.atomic import write_whole
from research.reports.answer import headline_metric
from research.reports.claimed import judged_claims
from research.reports.comma import csv_table
from research.reports.comma_tables import claims_csv, slices_csv, variance_csv
from research.reports.explained import explained
from research.reports.figure_files import write_plots
from research.reports.figures import figures
from research.reports.latex import latex_slices, latex_table
from research.reports.markdown import markdown_table
from research.reports.page import write_page
from research.reports.rows import read_study, rows
from research.reports.slice_tables import slice_tables
from research.reports.slices import rows_by_history_length, sliced


def publish(study: Path, target: Path) -> None:
    """Write ``target`` anew from the records below ``study``; weights stay behind.

    Raises:
        UserError: there is no study, or nothing in it has finished.
    """
    records = read_study(study)
    table, buckets = rows(records), rows_by_history_length(records)
    shutil.rmtree(target, ignore_errors=True)
    for path in study.glob("*/seed-*/*"):
        copy = target / "runs" / path.relative_to(study)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.name in ("ranks.parquet", "curves.parquet"):
            write_whole(copy, path.read_bytes())
        elif path.name == "record.json":
            record = json.loads(path.read_text())
            record.get("config", {}).pop("paths", None)  # where somebody keeps files is nobody else's business
            write_whole(copy, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())
    for path in study.glob("tuning/*.json"):
        (target / "runs" / "tuning").mkdir(parents=True, exist_ok=True)
        write_whole(target / "runs" / path.relative_to(study), path.read_bytes())
    shutil.copyfile(study / "study.yaml", target / "runs" / "study.yaml")
    write_page(study, target / "report.html")
    for name, writer in (("table.md", markdown_table), ("table.tex", latex_table), ("table.csv", csv_table)):
        write_whole(target / name, writer(table, records).encode())
    metric = headline_metric(records.metrics)
    slices = sliced(records, [metric])
    others = {
        "slices.md": slice_tables(records, metric, slices),
        "slices.tex": latex_slices(slices, records, metric),
        "slices.csv": slices_csv(slices, metric),
    }
    if claims := judged_claims(records, table):
        others["claims.csv"] = claims_csv(claims)
    parts = explained(records, table)
    if any(each.parts for each in parts):
        others["variance.csv"] = variance_csv(parts)
    for name, content in others.items():
        write_whole(target / name, content.encode())
    write_plots(figures(records, table, buckets, metric), target)
