"""Many arms: cut along an axis, so that every figure has room for what it draws."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from research.reports.drawing import to_svg
from research.reports.figure_costs import costs_figure
from research.reports.figures import figures
from research.reports.portions import MOST, portions
from research.reports.rows import read_study, rows
from research.reports.slices import rows_by_history_length

ENCODERS = ("gru", "Long Transformer", "lstm")
FUSIONS = tuple(f"fusion_{n}" for n in range(12))


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    from tests.reports.conftest import StudyDirectory

    axes = {"encoder@long": list(ENCODERS), "fusion": [*FUSIONS, "short_only"]}
    study = StudyDirectory(tmp_path_factory.mktemp("many"), name="many", axes=axes, seeds=[1], baseline={})
    lengths, weights = [3, 3, 30, 30], [0.2, 0.3, 0.4, 0.5]
    for e, encoder in enumerate(ENCODERS):
        for f, fusion in enumerate(FUSIONS):
            study.run(
                fusion,
                1,
                [e, f, 1, 2],
                cell=f"{encoder}-{fusion}",
                arm={"encoder@long": encoder, "fusion": fusion},
                lengths=lengths,
                weights=weights,
                curve=[0.1, 0.2],
                parameters=1000 + 100 * f + e,
                seconds={"train": 1.0 + f + e},
            )
    short = {"cell": "short", "arm": {"fusion": "short_only"}, "lengths": lengths, "weights": weights}
    study.run("short_only", 1, [0, 0, 0, 0], curve=[0.1], parameters=900, seconds={"train": 1.0}, **short)
    study.run("", 0, [5, 5, 5, 5], kind="baseline", cell="popularity", label="popularity", lengths=lengths)
    return study


def test_one_figure_an_encoder_with_every_fusion(many):
    records = read_study(many.path)
    made = rows(records)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "constrained_layout not applied": the legend left no room
        ((_, plots),) = figures(records, made, rows_by_history_length(records), "ndcg@10")
        for plot in plots:
            to_svg(plot)
    slugs = ("gru", "long-transformer", "lstm")
    assert [plot.name for plot in plots if plot.name.startswith("costs")] == [f"costs-{slug}" for slug in slugs]
    assert {f"{kind}-{slug}" for kind in ("curves", "lengths", "weights") for slug in slugs} <= {p.name for p in plots}
    curves = next(plot for plot in plots if plot.name == "curves-long-transformer")
    assert curves.title == "Learning curves: Long Transformer"
    # The legend and the words name fusions alone: the encoder is in the title.
    legend = [text.get_text() for text in curves.figure.legends[0].get_texts()]
    assert legend == [*FUSIONS, "short_only"]


def test_portions_cover_all_arms_and_share_what_belongs_to_none(many):
    made = rows(read_study(many.path))
    found = portions(made)
    assert [part.words for part in found] == list(ENCODERS)
    assert frozenset().union(*(part.cells for part in found)) == {row.cell for row in made}
    assert frozenset.intersection(*(part.cells for part in found)) == {"short", "popularity"}


def test_few_arms_stay_together(many):
    made = rows(read_study(many.path))[: MOST + 1]  # with popularity
    (whole,) = portions(made)
    assert (whole.words, whole.cells) == ("", {row.cell for row in made})


def test_arms_without_a_second_axis_are_cut_by_number(many):
    made = [replace(row, arm={"arm": row.cell} if row.kind == "model" else {}) for row in rows(read_study(many.path))]
    found = portions(made)
    assert [part.words for part in found] == ["arms 1 to 28", "arms 29 to 37"]
    assert [len(part.cells) for part in found] == [29, 10]


def test_a_logarithmic_axis_has_numbers_and_no_formulas(many):
    made = [row for row in rows(read_study(many.path)) if "gru" in row.cell]
    spread = [replace(row, seconds=10.0 ** (n % 4)) for n, row in enumerate(made)]
    plot = costs_figure(spread, "ndcg@10")
    assert plot is not None
    plot.figure.draw_without_rendering()
    labels = [label.get_text() for label in plot.figure.axes[0].get_xticklabels()]
    assert {"1", "10", "100", "1,000"} <= set(labels) and not any("$" in label for label in labels)
