"""Terminal, Markdown, LaTeX and CSV from the same rows."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console
from scipy import stats

from research.reports.comma import csv_table
from research.reports.digits import amount, metric_name, score
from research.reports.latex import escape as latex_escape
from research.reports.latex import latex_table
from research.reports.markdown import escape as markdown_escape
from research.reports.markdown import markdown_table
from research.reports.notes import notes
from research.reports.rows import read_study, rows
from research.reports.terminal import terminal_table


def terminal(records, width):
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(terminal_table(rows(records), records, width))
    return console.export_text()


WRITERS = {
    "markdown": lambda records: markdown_table(rows(records), records),
    "latex": lambda records: latex_table(rows(records), records),
    "csv": lambda records: csv_table(rows(records), records),
    "terminal": lambda records: terminal(records, 120),
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12344, ".1234"),
        (1.0, "1.0000"),
        (0.99999, "1.0000"),
        (0.0, ".0000"),
        (-0.05, "−.0500"),
        (-0.00001, ".0000"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_score(value, text):
    assert score(value) == text


def test_amounts_and_names():
    assert [amount(v) for v in (None, 3.0, 3.25, 12.6, 1234567.0)] == ["–", "3", "3.2", "13", "1,234,567"]
    assert [metric_name(n) for n in ("ndcg@10", "recall@5", "f1@10", "hr@1")] == [
        "NDCG@10",
        "Recall@5",
        "F1@10",
        "HR@1",
    ]


@pytest.mark.parametrize("writer", WRITERS)
def test_same_records_same_bytes(small, writer):
    assert WRITERS[writer](read_study(small.path)) == WRITERS[writer](read_study(small.path))


@pytest.mark.parametrize("writer", ["markdown", "latex", "terminal"])
def test_footer_says_what_the_numbers_are(small, writer):
    text = " ".join(WRITERS[writer](read_study(small.path)).split())
    for fact in (
        "leave-one-out",
        "seen items filtered",
        "toy, digest dddddddddddd",
        "Seeds: 1, 2",
        "cccccccccccc",
    ):
        assert fact in text
    if writer != "csv":
        assert "paired by user, noise of seeds included" in text
        assert "Holm over 4 comparisons, level .05" in text


def test_markdown(small):
    lines = markdown_table(rows(read_study(small.path)), read_study(small.path)).splitlines()
    table = [
        [cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    assert table[0] == [
        "Arm",
        "Seeds",
        "Recall@10",
        "NDCG@10",
        "Long weight",
        "Parameters",
        "Train s",
        "Best epoch",
    ]
    assert table[2] == ["popularity", "1", ".2500", ".1577", "–", "1,200", "0", "–"]
    assert table[3][:5] == ["transformer + gru / gated", "2", "**.8750** ± .1768", "**.6875** ± .0884", ".45"]
    assert table[4][:4] == ["transformer + gru / long_only (baseline)", "2", "_.5000_ ± .0000", "_.3750_ ± .0000"]
    widths = {len(line) for line in lines if line[:1] == "|"}
    assert len(widths) == 1


def test_unfinished_and_failed_seeds_are_shown(make_study):
    study = make_study(seeds=[1, 2, 3])
    study.run("gated", 1, [0])
    study.run("gated", 2, [0])
    study.fail("gated", 3, "the loss became NaN at step 7")
    records = read_study(study.path)
    text = markdown_table(rows(records), records)
    assert "2 of 3" in text
    assert "Failed: transformer + gru \\| gated, seed 3: the loss became NaN at step 7" in text
    assert "The grid is not complete: 1 of 2 arms" in text


def test_different_versions_of_the_data_are_told(make_study):
    study = make_study(seeds=[1, 2])
    study.run("gated", 1, [0], data={"name": "toy", "digest": "a"})
    study.run("gated", 2, [0], data={"name": "toy", "digest": "b"})
    records = read_study(study.path)
    assert any(line.startswith("Warning: the runs on toy") for line in notes(records, rows(records)))


def test_facts_of_the_window_that_differ_between_arms_are_a_span(make_study):
    study = make_study(seeds=[1])
    for arm, share in (("gated", 0.25), ("long_only", 1.0)):
        facts = {"users": 3, "short_window_is_whole_history_share": share}
        study.run(arm, 1, [0, 3, 5], data={"name": "toy", "digest": "d", "audit": facts})
    records = read_study(study.path)
    line = "Data: toy, digest d: users 3; short window is whole history share 0.25 to 1."
    assert line in notes(records, rows(records))


def test_different_test_users_are_told(make_study):
    study = make_study(seeds=[1, 2])
    study.run("gated", 1, [0, 1, 2])
    study.run("gated", 2, [0, 1, 2])
    records = read_study(study.path)
    assert "Test users: 3." in notes(records, rows(records))
    assert not any("same users" in line for line in notes(records, rows(records)))
    study.run("long_only", 1, [0, 1])
    records = read_study(study.path)
    assert any("do not all rank the same users" in line for line in notes(records, rows(records)))


def test_mixed_code_is_counted(make_study):
    study = make_study(seeds=[1, 2])
    study.run("gated", 1, [0], code={"version": "1", "commit": "aaa"})
    study.run("gated", 2, [0], code={"version": "1", "commit": "bbb"})
    records = read_study(study.path)
    assert "Code: 1 at aaa (1 runs), 1 at bbb (1 runs)." in notes(records, rows(records))


def test_identity_follows_the_runs(small):
    def identity():
        records = read_study(small.path)
        return next(line for line in notes(records, rows(records)) if line.startswith("Study tiny"))

    before = identity()
    small.run("gated", 3, [0, 0, 0, 0])
    assert identity() != before


def test_latex(small):
    text = latex_table(rows(read_study(small.path)), read_study(small.path))
    assert r"\begin{tabular}{lrrrrrrr}" in text
    assert text.count(r"\midrule") == 2
    assert r"gated & 2 & $\mathbf{.8750} \pm .1768$ & $\mathbf{.6875} \pm .0884$ & .45 & 1,200" in text
    assert r"long\_only (baseline) & 2 & $\underline{.5000} \pm .0000$" in text
    assert r"popularity & 1 & $.2500\phantom{{} \pm .0000}$" in text
    assert "±" not in text
    assert text.count("{") == text.count("}")


def test_latex_escapes():
    assert latex_escape("50% of A&B_c #1 $x$ {y} ~^") == (
        r"50\% of A\&B\_c \#1 \$x\$ \{y\} \textasciitilde{}\textasciicircum{}"
    )
    assert latex_escape("\\input{x}") == r"\textbackslash{}input\{x\}"
    assert latex_escape("a | b < c --- d") == r"a \textbar{} b \textless{} c -{}-{}- d"


def test_special_characters_in_labels(make_study):
    study = make_study(seeds=[1], question="100% & <b>more</b>?")
    study.run("gated", 1, [0], label="a_b & 5% | $x$ *y* <i>")
    records = read_study(study.path)
    assert r"a\_b \& 5\% \textbar{} \$x\$ *y* \textless{}i\textgreater{} & 1" in latex_table(rows(records), records)
    assert r"a_b &amp; 5% \| $x$ \*y\* &lt;i&gt;" in markdown_table(rows(records), records)
    assert "a_b & 5% | $x$ *y* <i>" in terminal(records, 160)


def test_rich_markup_in_a_label_is_text(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0], label="[bold]x[/bold] [/oops]")
    assert "[bold]x[/bold] [/oops]" in terminal(read_study(study.path), 160)


def test_markdown_escape_is_one_line():
    assert markdown_escape("a\nb _c_ d_e") == r"a b \_c\_ d_e"


def test_csv_keeps_full_precision(small):
    (popularity, gated, _) = csv.DictReader(
        io.StringIO(csv_table(rows(read_study(small.path)), read_study(small.path)))
    )
    assert float(gated["ndcg@10 mean"]) == pytest.approx(0.6875, abs=1e-15)
    assert float(gated["ndcg@10 std"]) == pytest.approx(0.125 / 2**0.5, abs=1e-15)
    assert (gated["arm.fusion"], gated["seeds"], gated["planned"], gated["failed"]) == (
        "gated",
        "2",
        "2",
        "0",
    )
    assert popularity["recall@10 std"] == ""
    assert popularity["data digest"] == "d" * 64


def test_narrow_terminal_keeps_the_numbers_whole(small):
    text = terminal(read_study(small.path), 60)
    assert "Left out at this width" in text
    assert ".8750 ± .1768" in text
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 60
    assert "Left out" not in terminal(read_study(small.path), 160)


def test_means_stand_in_one_column(small):
    lines = terminal(read_study(small.path), 120).splitlines()
    popularity = next(line for line in lines if "popularity" in line)
    gated = next(line for line in lines if "gated" in line)
    assert popularity.index(".2500") == gated.index(".8750")


@pytest.fixture
def decided(make_study):
    """gated, the baseline arm here, hits everyone in both seeds, long_only two of 40, popularity all but one."""
    claims = ["transformer + gru | gated > popularity on recall@10"]
    study = make_study(claims=claims, baselines=["popularity"], baseline={"fusion": "gated"}, metrics=["recall@10"])
    for seed in (1, 2):
        study.run("gated", seed, [0] * 40)
        study.run("long_only", seed, [50] * 38 + [0, 0])
    study.run("", 1, [0] * 39 + [50], kind="baseline", label="popularity", cell="popularity")
    return read_study(study.path)


# 38 of 40 users differ by -1 in both seeds: mean -.95, standard error sqrt(.95 * .05 / 39) = .0349, t = -27.2 at 39
# degrees, so p of t is below 1e-26, p of 10,000 sign flips 1/10001, and Holm over two comparisons doubles it.
# Popularity differs for one user: both p are large.


def test_daggers_in_every_format(decided):
    made = rows(decided)
    assert [row.side("recall@10") for row in made] == [0, 0, -1]
    (line,) = [
        line for line in markdown_table(made, decided).splitlines() if line.startswith("| transformer + gru \\| long")
    ]
    assert "_.0500_‡ ± .0000" in line
    latex = latex_table(made, decided)
    assert r"$\underline{.0500}^{\ddagger} \pm .0000$" in latex
    assert r"$\mathbf{1.0000}\phantom{^{\dagger}} \pm .0000$" in latex
    assert ".0500‡ ± .0000" in terminal(decided, 160)
    read = {row["label"]: row for row in csv.DictReader(io.StringIO(csv_table(made, decided)))}
    below = read["transformer + gru | long_only"]
    assert float(below["recall@10 difference"]) == pytest.approx(-0.95)
    assert float(below["recall@10 p"]) == pytest.approx(1 / 10001)
    assert float(below["recall@10 p_adjusted"]) == pytest.approx(2 / 10001)
    assert float(below["recall@10 ci_level"]) == pytest.approx(0.975)
    half = (0.95 * 0.05 / 39) ** 0.5 * stats.t.ppf(1 - 0.025 / 2, 39)
    assert float(below["recall@10 ci_low"]) == pytest.approx(-0.95 - half)
    assert float(below["recall@10 ci_high"]) == pytest.approx(-0.95 + half)
    assert (below["compared with"], below["p knows"]) == ("transformer + gru | gated", "users and seeds")
    assert read["transformer + gru | gated"]["recall@10 p"] == ""


@pytest.mark.parametrize("writer", ["markdown", "latex", "terminal"])
def test_claims_in_every_format(decided, writer):
    text = " ".join(WRITERS[writer](decided).split())
    # One user of 40 differs: .025, t = 1, p = .3235 at 39 degrees; both sign patterns are as far: p = 1.
    for words in ("Adjusted", "+.0250", "1.0000", "undecided at this size", "corrected over 1 test (Holm"):
        assert words in text, words
    sign = {"markdown": "&gt;", "latex": "\\textgreater{}", "terminal": ">"}[writer]
    assert f"gated {sign} popularity" in " ".join((terminal(decided, 250) if writer == "terminal" else text).split())


@pytest.mark.parametrize("writer", WRITERS)
def test_the_same_bytes_again(decided, writer):
    assert WRITERS[writer](decided) == WRITERS[writer](read_study(decided.directory))
