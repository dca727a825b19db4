"""What explains the variance: by hand on a full grid, and a reason where the grid is not one."""

from __future__ import annotations

import csv
import io

import pytest

from research.reports.comma_tables import variance_csv
from research.reports.explained import explained, explained_grid, explained_notes
from research.reports.latex import latex_table
from research.reports.markdown import markdown_table
from research.reports.notes import notes
from research.reports.page import page
from research.reports.records import read_study
from research.reports.rows import rows
from research.reports.terminal import terminal_table

AXES = {"encoder@long": ["gru", "transformer"], "fusion": ["sum", "gated", "short_only"]}


@pytest.fixture
def crossed(make_study):
    """Ten users, recall@10 = hits / 10. Hits: gru 2 and 4, transformer 6 and 8; gated as sum, plus 1 for gru.

    short_only reads no long encoder. Cell means: gru .3, .4; transformer .7, .7; grand .525.
    """
    study = make_study(axes=AXES, metrics=["recall@10"], baseline={"fusion": "sum"})
    for encoder, base in (("gru", 2), ("transformer", 6)):
        for fusion in ("sum", "gated"):
            for seed in (1, 2):
                hits = base + 2 * (seed - 1) + (fusion == "gated" and encoder == "gru")
                study.run(
                    fusion,
                    seed,
                    [0] * hits + [50] * (10 - hits),
                    cell=f"{encoder}-{fusion}",
                    label=f"{encoder}, {fusion}",
                    arm={"encoder@long": encoder, "fusion": fusion},
                )
    for seed in (1, 2):
        study.run("short_only", seed, [0] * 5 + [50] * 5, label="short_only")
    return study


def test_by_hand(crossed):
    records = read_study(crossed.path)
    (found,) = explained(records, rows(records))
    assert found.axes == {"encoder@long": ("gru", "transformer"), "fusion": ("sum", "gated")}
    assert (found.seeds, found.left_out, found.reason) == (2, ("short_only",), "")
    parts = found.parts["recall@10"]
    assert [part.name for part in parts.sources] == ["encoder@long", "fusion", "encoder@long x fusion"]
    # Effects: encoder ∓.175, fusion ∓.025, interaction ∓.025 (8 runs each); seeds ∓.1 (8 runs).
    squares = [8 * 0.175**2, 8 * 0.025**2, 8 * 0.025**2, 8 * 0.1**2]
    assert [part.sum_of_squares for part in parts.sources] == pytest.approx(squares[:3])
    assert [part.share for part in parts.sources] == pytest.approx([each / sum(squares) for each in squares[:3]])
    assert parts.sources[0].f == pytest.approx(squares[0] / (squares[3] / 4))
    grid = explained_grid([found])
    assert grid is not None
    assert [line.cells[1].text for line in grid.lines] == [*(part.name for part in parts.sources), "seeds"]
    assert grid.lines[0].cells[3].text == f"{100 * squares[0] / sum(squares):.1f} %"
    said = explained_notes([found], "recall@10")
    assert "encoder@long: gru −.1750, transformer +.1750; fusion: sum −.0250, gated +.0250." in said[1]
    assert said[2] == "Not in the grid, as they do not read every axis: short_only."


def test_every_writer_has_it(crossed):
    records = read_study(crossed.path)
    made = rows(records)
    assert "**What explains the variance**" in markdown_table(made, records)
    assert r"\label{tab:tiny-variance}" in latex_table(made, records)
    assert '<h2 id="variance">What explains the variance</h2>' in page(records)
    assert len(terminal_table(made, records).renderables) == 2
    lines = list(csv.DictReader(io.StringIO(variance_csv(explained(records, made)))))
    assert [line["part"] for line in lines] == ["encoder@long", "fusion", "encoder@long x fusion", "seeds"]
    assert sum(float(line["share"]) for line in lines) == pytest.approx(1.0)
    assert lines[3]["F"] == ""


def test_one_axis_has_no_section(small):
    records = read_study(small.path)
    made = rows(records)
    assert explained(records, made) == []
    assert "explains the variance" not in markdown_table(made, records) + page(records)


def test_a_missing_arm_is_named_and_nothing_is_analysed(crossed):
    for path in (crossed.path / "gru-gated").glob("seed-*/*"):
        path.unlink()
    records = read_study(crossed.path)
    made = rows(records)
    (found,) = explained(records, made)
    assert found.parts == {} and explained_grid([found]) is None
    said = "No analysis of variance: the axes are not fully crossed, 1 of 4 arms are missing (gru with gated)."
    assert said in explained_notes([found], "recall@10")
    assert "No analysis of variance" in markdown_table(made, records)
    assert "No analysis of variance" in page(records)


def test_other_seeds_and_one_seed(crossed):
    for path in (crossed.path / "gru-gated" / "seed-2").iterdir():
        path.unlink()
    records = read_study(crossed.path)
    assert explained(records, rows(records))[0].reason == "the arms do not all have the same seeds"
    for path in crossed.path.glob("*/seed-2/*"):
        path.unlink()
    records = read_study(crossed.path)
    assert explained(records, rows(records))[0].reason == "one seed does not show the noise between seeds"


def test_an_arm_that_does_not_read_an_axis_is_all_points_along_it(crossed):
    records = read_study(crossed.path)
    assert not any("grid is not complete" in line for line in notes(records, rows(records)))
    for path in crossed.path.glob("short_only/*/*"):
        path.unlink()
    records = read_study(crossed.path)
    assert "The grid is not complete: 4 of 6 arms have a run that ended." in notes(records, rows(records))


def test_what_the_study_excludes_is_not_missing(make_study):
    study = make_study(axes=AXES, exclude=[{"fusion": ["sum", "short_only"], "encoder@long": "gru"}])
    for encoder, fusion in (("gru", "gated"), ("transformer", "sum"), ("transformer", "gated")):
        study.run(fusion, 1, [0], cell=encoder + fusion, arm={"encoder@long": encoder, "fusion": fusion})
    records = read_study(study.path)
    assert "The grid is not complete: 3 of 4 arms have a run that ended." in notes(records, rows(records))
