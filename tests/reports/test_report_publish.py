"""What is committed of a study: the same table from the copy, and nothing of the machine it ran on."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from research.reports.claimed import judged_claims
from research.reports.comma import csv_table
from research.reports.comma_tables import claims_csv, slices_csv
from research.reports.latex import latex_slices, latex_table
from research.reports.markdown import markdown_table
from research.reports.publish import publish
from research.reports.rows import read_study, rows
from research.reports.slice_tables import slice_tables
from research.reports.slices import sliced

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
    assert {p.name for p in (tmp_path / "out").glob("*.*")} >= {"slices.md", "slices.tex", "slices.csv", "claims.csv"}


@pytest.mark.parametrize("name", ["quickstart", "quality-ml-1m"])
def test_the_committed_tables_are_regenerated_to_the_byte(name: str) -> None:
    target = COMMITTED.parents[1] / name
    records = read_study(target / "runs")
    made, slices = rows(records), sliced(records, ["ndcg@10"])
    written = {
        "table.md": markdown_table(made, records),
        "table.tex": latex_table(made, records),
        "table.csv": csv_table(made, records),
        "slices.md": slice_tables(records, "ndcg@10", slices),
        "slices.tex": latex_slices(slices, records, "ndcg@10"),
        "slices.csv": slices_csv(slices, "ndcg@10"),
    }
    if records.claims:
        written["claims.csv"] = claims_csv(judged_claims(records, made))
    for file, content in written.items():
        assert content == (target / file).read_text(), file


def test_the_csv_of_claims_and_slices_say_what_the_tables_say() -> None:
    records = read_study(COMMITTED)
    claims = list(csv.DictReader(io.StringIO(claims_csv(judged_claims(records, rows(records))))))
    assert [line["claim"] for line in claims] == [claim.text for claim in records.claims]
    assert [line["verdict"] for line in claims] == ["undecided at this size"] * 4
    assert all(float(line["ci_low"]) <= float(line["difference"]) <= float(line["ci_high"]) for line in claims)
    slices = list(csv.DictReader(io.StringIO(slices_csv(sliced(records, ["ndcg@10"]), "ndcg@10"))))
    gated = [line for line in slices if line["label"] == "gated"]
    assert [(line["bucket"], line["users"], line["queries"]) for line in gated] == [
        ("11–20", "56", "56"),
        ("21–50", "336", "336"),
        (">50", "551", "551"),
    ]
    assert [f"{float(line['ndcg@10 mean']):.4f}" for line in gated] == ["0.1209", "0.1103", "0.0786"]
    assert {line["compared with"] for line in gated} == {"long_only"}
