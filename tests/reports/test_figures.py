"""The figures of a grid of arms: what they draw, by numbers worked out here."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from research.reports.drawing import to_pdf, to_svg
from research.reports.figure_costs import costs_figure
from research.reports.figure_critical import critical_figure
from research.reports.figure_files import write_figures, write_plots
from research.reports.figure_forest import forest_figure
from research.reports.figure_heatmap import heatmap_figure
from research.reports.figures import figures
from research.reports.palette import FUSIONS, MORE, SPARE, look_of, styles
from research.reports.rows import read_study, rows
from research.reports.slices import rows_by_history_length
from tests.reports.grid_study import USERS, grid_study

CONFIGS = Path(__file__).parents[2] / "configs" / "fusion"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return grid_study(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def records(study):
    return read_study(study.path)


@pytest.fixture(scope="module")
def made(records):
    return rows(records, ["ndcg@10"])


@pytest.fixture(scope="module")
def drawn(records, made):
    return dict(figures(records, made, rows_by_history_length(records, ["ndcg@10"]), "ndcg@10"))


def expected(fusion: int, encoder: int, seed: int) -> float:
    """Mean NDCG@10 by a plain loop over the rule of the study."""
    places = [(u + seed) % 6 + 2 * (2 - fusion) + encoder + 1 for u in range(USERS)]
    return sum(1 / math.log2(place + 1) for place in places if place <= 10) / USERS


def cell_mean(fusion: int, encoder: int) -> float:
    return (expected(fusion, encoder, 1) + expected(fusion, encoder, 2)) / 2


def ratio(one: str, other: str) -> float:
    def luminance(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_each_data_set_has_its_figures_and_both_have_one(drawn):
    names = ["arms", "forest", "heatmap", "costs", "curves", "lengths", "weights", "gaps"]
    assert [plot.name for plot in drawn["beauty"]] == names
    assert [plot.name for plot in drawn["toys"]] == [f"{name}-2" for name in names]
    assert [plot.name for plot in drawn["All data sets"]] == ["critical-3"] or [
        plot.name for plot in drawn["All data sets"]
    ] == ["critical"]


def test_heatmap_has_every_cell_and_readable_values(made):
    inside = [row for row in made if row.group == "beauty"]
    plot = heatmap_figure(inside, "ndcg@10")
    assert plot is not None
    ax = plot.figure.axes[0]
    cells = {(round(p.get_x() + 0.48), round(p.get_y() + 0.47)): to_hex(p.get_facecolor()) for p in ax.patches}
    # Three fusions are more than two encoders, so they go down.
    assert set(cells) == {(e, f) for e in range(2) for f in range(3)}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["long_only", "sum", "gated"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["transformer", "gru"]
    for text in ax.texts:
        e, f = (round(value) for value in text.get_position())
        assert text.get_text() == f"{cell_mean(f, e):.4f}"[1:]
        assert ratio(text.get_color(), cells[e, f]) >= 4.5
    lightness = [ratio(cells[0, f], "#000000") for f in range(3)]
    assert lightness == sorted(lightness), "gated is best, so lightest"
    assert f"gated with transformer {cell_mean(2, 0):.4f}".replace(" 0.", " .") in plot.alt


def test_heatmap_needs_two_axes(made):
    one_encoder = [row for row in made if row.group == "beauty" and row.arm.get("encoder@long") == "gru"]
    assert heatmap_figure(one_encoder, "ndcg@10") is None


def test_forest_draws_the_paired_differences(made):
    inside = [row for row in made if row.group == "beauty"]
    plot = forest_figure(inside, "ndcg@10")
    assert plot is not None
    ax = plot.figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "transformer · sum",
        "transformer ·\ngated",
        "gru · sum",
        "gru · gated",
    ]
    marks = [line for line in ax.lines if line.get_marker() not in ("None", None, "")]
    spans = [line for line in ax.lines if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2]
    wanted = [cell_mean(f, e) - cell_mean(0, e) for e in range(2) for f in (1, 2)]
    assert [float(line.get_xdata()[0]) for line in marks] == pytest.approx(wanted)
    for mark, span in zip(marks, spans, strict=True):
        low, high = span.get_xdata()
        assert low < mark.get_xdata()[0] < high
        assert (low + high) / 2 == pytest.approx(mark.get_xdata()[0])
    assert [line.get_color() for line in marks] == [FUSIONS[f][0] for f in ("sum", "gated")] * 2


def test_forest_without_a_baseline_arm_is_left_out(make_study):
    study = make_study(baseline=None)
    study.run("gated", 1, [0, 3])
    study.run("long_only", 1, [1, 3])
    assert forest_figure(rows(read_study(study.path)), "ndcg@10") is None


def test_costs_stand_at_their_place(made):
    inside = [row for row in made if row.group == "toys"]
    plot = costs_figure(inside, "ndcg@10")
    assert plot is not None
    seconds, parameters = plot.figure.axes
    singles = [line for line in seconds.lines if len(line.get_xdata()) == 1]
    points = {(float(line.get_xdata()[0]), round(float(line.get_ydata()[0]), 9)) for line in singles}
    # The mean over seeds 1 and 2 of 10 (f + 1) + seed.
    assert points >= {(10.0 * (f + 1) + 1.5, round(cell_mean(f, e), 9)) for e in range(2) for f in range(3)}
    counts = {float(line.get_xdata()[0]) for line in parameters.lines if len(line.get_xdata()) == 1}
    assert counts == {1000.0 * (e + 1) + 100 * f for e in range(2) for f in range(3)}
    fillings = {(line.get_color(), line.get_fillstyle()) for line in seconds.lines if line.get_markersize() == 7}
    assert len(fillings) == 6, "arms that share a colour differ by their filling"


def test_costs_that_do_not_differ_are_left_out(small):
    assert costs_figure(rows(read_study(small.path)), "ndcg@10") is None


def test_weights_by_gap(drawn):
    plot = next(plot for plot in drawn["beauty"] if plot.name == "gaps")
    # 600 * 4^u seconds for u < 8: 10 and 40 minutes, 2.7 and 10.7 hours, 1.8 days, 7.1 and 28.4 days, 114 days.
    weight = [0.2 + 0.6 * u / USERS for u in range(USERS)]
    gaps = [600.0 * 4**u for u in range(8)]
    edges = [
        ("≤1 h", 3600.0),
        ("≤1 day", 86400.0),
        ("≤1 week", 604800.0),
        ("≤30 days", 2592000.0),
        (">30 days", math.inf),
    ]
    low = 0.0
    for name, high in edges:
        inside = [weight[u] for u, gap in enumerate(gaps) if low < gap <= high]
        low = high
        assert inside
        said = f"{sum(inside) / len(inside):.4f}"[1:]
        assert f"gated {said}" in plot.alt, name
    labels = [label.get_text() for label in plot.figure.axes[0].get_xticklabels()]
    assert [label.split("\n")[1] for label in labels] == ["2", "2", "1", "2", "1"]


def test_no_gap_figure_without_gaps(small):
    records = read_study(small.path)
    names = [
        p.name
        for _, plots in figures(records, rows(records), rows_by_history_length(records), "ndcg@10")
        for p in plots
    ]
    assert "weights" in names
    assert "gaps" not in names


def test_critical_difference_over_two_data_sets(records, made):
    plot = critical_figure(made, records, "ndcg@10")
    assert plot is not None
    # Both data sets order the six arms alike. 2.850 is the studentized range over root 2 for six arms at .05 (Demsar's
    # table 5), so the difference is 2.850 * sqrt(6 * 7 / (6 * 2)) = 5.332, and nothing can be told apart.
    assert "critical difference 5.33" in plot.alt
    means = {(f, e): cell_mean(f, e) for e in range(2) for f in range(3)}
    best = max(means, key=lambda key: means[key])
    assert best == (2, 0)
    # chi2 is 12 * 2 / (6 * 7) * 17.5 = 10 with 5 degrees of freedom: p = .0752.
    assert "by chi², as all data sets agree: p .0752" in plot.caption
    assert "transformer · gated 1.00" in plot.alt
    assert "gru · long_only (baseline) 6.00" in plot.alt
    bars = [line for line in plot.figure.axes[0].lines if line.get_linewidth() == 3.5]
    assert [tuple(bar.get_ydata()) for bar in bars] == [(-0.2, 5.2)]


def test_no_critical_difference_on_one_data_set(records, made):
    assert critical_figure([row for row in made if row.group == "toys"], records, "ndcg@10") is None


def test_files_for_papers_repeat_to_the_byte(study, records, tmp_path):
    first = {path.name: path.read_bytes() for path in write_figures(study.path, tmp_path / "a")}
    assert {"beauty-arms.svg", "beauty-arms.pdf", "toys-heatmap-2.pdf"} <= set(first)
    assert len(first) == 2 * 17
    assert all(content.startswith(b"%PDF-") for name, content in first.items() if name.endswith(".pdf"))
    # Type 3 letters are refused by journals; a picture would not be a vector file.
    assert not any(b"/Type3" in content or b"/Subtype /Image" in content for content in first.values())
    assert not any(b"<image" in content for content in first.values())
    drawn = dict(figures(records, rows(records), rows_by_history_length(records, ["ndcg@10"]), "ndcg@10"))
    again = write_plots([("toys", drawn["toys"])], tmp_path / "b")
    assert {path.name: path.read_bytes() for path in again}.items() <= first.items() and len(again) > 10


def test_no_fusion_shares_colour_and_marker(made):
    known = FUSIONS | MORE
    assert len(set(known.values())) == len(known)
    assert {color for color, _ in MORE.values()} <= {color for color, _ in (*FUSIONS.values(), *SPARE)}
    assert set(known) <= {path.stem for path in CONFIGS.glob("*.yaml")}
    assert look_of("one of somebody's own") in SPARE
    looks = styles(made)
    for row in made:
        if row.kind == "model":
            assert (looks[row.cell].color, looks[row.cell].marker) == known[row.arm["fusion"]]


def test_colours_without_a_legend_are_the_same_in_all_figures(drawn):
    """The gated arm's colour occurs in every figure that draws arms, and no figure draws a colour of no arm."""
    arms = {FUSIONS[name][0].lower() for name in ("long_only", "sum", "gated")}
    others = {color.lower() for color, _ in (*FUSIONS.values(), *SPARE)} - arms
    for plots in drawn.values():
        for plot in plots:
            svg = to_svg(plot).lower()
            assert FUSIONS["gated"][0].lower() in svg, plot.name
            assert not any(color in svg for color in others), plot.name
    assert all(a != b for a, b in pairwise(sorted(arms)))
    assert to_pdf(drawn["beauty"][0]).count(b"/Type /Page\n") <= 1
