"""Figures: their bytes, their colours, and when they are left out."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import pytest

from research.reports.drawing import short_labels, to_svg
from research.reports.figure_arms import arms_figure
from research.reports.figures import figures
from research.reports.palette import FUSIONS, styles
from research.reports.rows import read_study, rows
from research.reports.slices import rows_by_history_length


def drawn(study):
    records = read_study(study.path)
    return figures(records, rows(records), rows_by_history_length(records), "ndcg@10")


def test_every_figure_is_drawn_and_its_bytes_repeat(small, monkeypatch):
    ((group, plots),) = drawn(small)
    assert group == ""
    assert [plot.name for plot in plots] == ["arms", "forest", "curves", "lengths", "weights"]
    first = [to_svg(plot) for plot in plots]
    # The user's own matplotlib settings must not reach the figures.
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 30)
    monkeypatch.setitem(matplotlib.rcParams, "axes.linewidth", 5)
    assert [to_svg(plot) for plot in drawn(small)[0][1]] == first


def test_svg_is_self_contained(small):
    for plot in drawn(small)[0][1]:
        svg = to_svg(plot)
        root = ElementTree.fromstring(svg)
        assert root.attrib["role"] == "img"
        assert root.attrib["aria-label"] == plot.alt
        ids = re.findall(r'\bid="([^"]+)"', svg)
        assert len(ids) == len(set(ids))
        assert all(name.startswith(f"{plot.name}-") for name in ids)
        targets = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
        assert targets
        assert targets <= set(ids)
        assert "metadata" not in svg
        assert "<!--" not in svg
        width = float(root.attrib["viewBox"].split()[2])
        assert width <= 4.2 * 72 + 1


def test_arms_alt_text_gives_the_values(small):
    plot = arms_figure(rows(read_study(small.path)), "ndcg@10")
    assert plot is not None
    assert plot.alt == "NDCG@10 by arm: gated .6875, long_only (baseline) .3750, popularity .1577."


def test_figures_without_data_are_left_out(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0, 3])
    assert [plot.name for plot in drawn(study)[0][1]] == ["arms"]


def test_markup_in_a_label_stays_text(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0], label='$x_{1}$ --></svg><script>alert("1")</script>')
    plot = drawn(study)[0][1][0]
    svg = to_svg(plot)
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).attrib["aria-label"] == plot.alt


def test_one_colour_a_fusion(small):
    made = rows(read_study(small.path))
    looks = styles(made)
    assert looks["gated"].color == FUSIONS["gated"][0]
    assert looks["long_only"].color == FUSIONS["long_only"][0]
    assert "popularity" not in looks
    # The same fusion in another study, among other arms, keeps its colour.
    other = [replace(made[1], cell="x", arm={"fusion": "sum"}), replace(made[1], cell="y")]
    assert styles(other)["y"].color == FUSIONS["gated"][0]


def test_arms_that_share_a_fusion_differ(small):
    gated, long_only = rows(read_study(small.path))[1:]
    shared = styles([gated, replace(gated, cell="b"), long_only])
    assert shared["gated"].color == shared["b"].color
    assert shared["gated"].dash != shared["b"].dash
    alone = styles([gated, replace(gated, cell="b")])
    assert alone["gated"].color != alone["b"].color


def test_colours_differ_and_show_on_both_pages():
    def luminance(color):
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    colours = [color for color, _ in FUSIONS.values()]
    assert len(set(colours)) == len({marker for _, marker in FUSIONS.values()}) == len(FUSIONS)
    for color in colours:
        assert 1.05 / (luminance(color) + 0.05) >= 2.7
        assert (luminance(color) + 0.05) / (luminance("#15171a") + 0.05) >= 2.7


@pytest.mark.parametrize("arms", [{"k": "5", "fusion": "gated"}, {}])
def test_short_labels_fall_back_to_the_label(small, arms):
    gated, long_only = rows(read_study(small.path))[1:]
    assert short_labels([gated, long_only]) == {"gated": "gated", "long_only": "long_only (baseline)"}
    same = [replace(gated, arm=arms), replace(gated, cell="b", arm=arms)]
    assert set(short_labels(same).values()) == {gated.label}
