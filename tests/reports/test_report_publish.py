"""What is committed of a study: the same table from the copy, and nothing of the machine it ran on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from research.reports.markdown import markdown_table
from research.reports.publish import publish
from research.reports.rows import read_study, rows

COMMITTED = Path(__file__).parents[2] / "results" / "quickstart" / "runs"


def test_published_records_give_the_same_table_and_hold_no_paths(tmp_path: Path) -> None:
    study = tmp_path / "quickstart"
    shutil.copytree(COMMITTED, study)
    record = next(study.glob("*/seed-1/record.json"))
    content = json.loads(record.read_text())
    content["config"]["paths"] = {"runs": "/home/somebody/secret"}
    record.write_text(json.dumps(content))
    (record.parent / "weights.safetensors").write_bytes(b"large")
    publish(study, tmp_path / "out")
    copied = read_study(tmp_path / "out" / "runs")
    original = read_study(study)
    assert markdown_table(rows(copied), copied) == markdown_table(rows(original), original)
    everything = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"/home/somebody" not in everything
    assert not list((tmp_path / "out").rglob("*.safetensors"))
    assert {p.name for p in (tmp_path / "out").glob("*.*")} >= {"report.html", "table.md", "table.tex", "table.csv"}


def test_the_committed_table_is_regenerated_to_the_byte() -> None:
    records = read_study(COMMITTED)
    assert markdown_table(rows(records), records) == (COMMITTED.parent / "table.md").read_text()
