"""Tests of arms against the baseline arm: by SciPy, by hand, and how often a dagger is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from research.errors import UserError
from research.metrics.ranking import metric
from research.reports import remembered
from research.reports.claimed import claims_grid, claims_sentence, judged_claims
from research.reports.notes import notes
from research.reports.rows import baseline_of, read_study, rows
from research.reports.tested import Asked, judged
from research.statistics.claims import Claim

USERS = 60


def ranks_of(rng: np.random.Generator, easy: float) -> list[int]:
    """Ranks of ``USERS`` users; the target is among the first ten with probability ``easy``."""
    return [int(rng.integers(10)) if hit else 50 for hit in rng.random(USERS) < easy]


@pytest.fixture
def effect(make_study):
    """gated hits nearly everyone, long_only a third of them; three seeds each, and a deterministic row."""
    study = make_study(
        seeds=[1, 2, 3],
        claims=[
            "transformer + gru | gated > transformer + gru | long_only on recall@10",
            "popularity > gated on ndcg@10",
        ],
        baselines=["popularity"],
    )
    rng = np.random.default_rng(1)
    for seed in (1, 2, 3):
        study.run("gated", seed, ranks_of(rng, 0.9))
        study.run("long_only", seed, ranks_of(rng, 0.33))
    study.run("", 1, ranks_of(rng, 0.05), kind="baseline", label="popularity", cell="popularity")
    return study


def values(study, cell: str, name: str) -> np.ndarray:
    """Seeds x users, read from the files."""
    runs = [run for run in read_study(study.path).finished if run.cell == cell]
    return np.array([metric(name, run.ranks.better_N, run.ranks.ties_N) for run in runs if run.ranks])


def test_deterministic_arms_by_scipy(make_study):
    """One run of each, both without training: the t test is SciPy's paired one, the sign flips are all counted."""
    study = make_study(seeds=[1], baseline=None)
    study.run("gated", 1, [0] * 12)
    better = {"a": [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 50], "b": [1, 3, 2, 9, 50, 5, 50, 9, 50, 2, 1, 0]}
    for name, counts in better.items():
        study.run("", 1, counts, kind="baseline", label=name, cell=name)
    records = read_study(study.path)
    sides = [tuple(run for run in records.finished if run.cell == name) for name in "ab"]
    (verdict,) = judged(records, [Asked(Claim("a", "b", "ndcg@10", "a > b on ndcg@10"), *sides)])
    first, second = (metric("ndcg@10", np.array(better[name]), np.zeros(12, dtype=int)) for name in "ab")
    by_t = stats.ttest_rel(first, second).pvalue
    flips = stats.permutation_test(
        (first - second,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    ).pvalue
    assert verdict is not None
    assert verdict.p == pytest.approx(max(by_t, flips), rel=1e-9)
    assert verdict.p_adjusted == verdict.p
    assert verdict.difference == pytest.approx(np.mean(first - second), abs=1e-11)


def test_three_seeds_without_noise_of_users_are_welchs_test(make_study):
    """Every user hits alike within a run: the only noise is of seeds, and the test is Welch's over seed means."""
    study = make_study(seeds=[1, 2, 3], metrics=["mrr@10"])
    places = {"gated": (0, 0, 1), "long_only": (3, 5, 4)}
    for cell, of_seed in places.items():
        for seed, place in enumerate(of_seed, start=1):
            study.run(cell, seed, [place] * 40)
    gated = next(row for row in rows(read_study(study.path)) if row.cell == "gated")
    welch = stats.ttest_ind(*([1 / (place + 1) for place in places[cell]] for cell in places), equal_var=False)
    assert gated.against["mrr@10"].p == pytest.approx(welch.pvalue, rel=1e-6)
    assert gated.side("mrr@10") == 0 or welch.pvalue <= 0.05


def test_the_family_is_the_table(effect):
    made = {row.cell: row for row in rows(read_study(effect.path))}
    said = [each for cell in ("popularity", "gated") for each in made[cell].against.values()]
    assert len(said) == 4
    by_hand = stats.false_discovery_control([each.p for each in said])
    ordered = sorted(said, key=lambda each: each.p)
    running = 0.0
    for step, each in enumerate(ordered):
        running = max(running, min(1.0, (4 - step) * each.p))
        assert each.p_adjusted == pytest.approx(running)
    assert made["gated"].side("recall@10") == made["gated"].side("ndcg@10") == 1
    assert made["popularity"].side("recall@10") == -1
    assert made["long_only"].against == {}
    text = (effect.path / "study.yaml").read_text() + "family: benjamini_hochberg\n"
    (effect.path / "study.yaml").write_text(text)
    made = {row.cell: row for row in rows(read_study(effect.path))}
    said = [each for cell in ("popularity", "gated") for each in made[cell].against.values()]
    assert [each.p_adjusted for each in said] == pytest.approx(by_hand.tolist())


def test_verdicts_on_claims(effect):
    records = read_study(effect.path)
    found = judged_claims(records, rows(records))
    assert [each.outcome for each in found] == ["supported", "refuted"]
    gap = values(effect, "gated", "recall@10").mean() - values(effect, "long_only", "recall@10").mean()
    assert found[0].verdict is not None
    assert found[0].verdict.difference == pytest.approx(gap)
    said = claims_sentence(found)
    assert said.startswith("Of 2 claims, supported: transformer + gru | gated > transformer + gru | long_only")
    assert "Refuted: popularity > gated on NDCG@10" in said


def test_many_claims_of_one_outcome_are_counted(effect):
    found = judged_claims(read_study(effect.path), rows(read_study(effect.path)))
    waiting = [replace(each, verdict=None) for each in found]
    assert claims_sentence(waiting * 3) == "All 6 claims: no verdict yet."
    said = claims_sentence([found[0], *waiting * 3])
    assert said.startswith("Of 7 claims, supported: ") and said.endswith(". No verdict yet: 6 others.")
    assert claims_sentence(waiting).count("; ") == 1, "few are named"
    assert claims_sentence(found[:1] * 5).startswith("All 5 claims: supported.")


def test_a_claim_without_a_finished_arm_waits_and_counts(make_study):
    claims = ["gated > long_only on recall@10", "sum > long_only on recall@10"]
    study = make_study(seeds=[1, 2], axes={"fusion": ["gated", "long_only", "sum"]}, claims=claims)
    rng = np.random.default_rng(0)
    for seed in (1, 2):
        study.run("gated", seed, ranks_of(rng, 0.9))
        study.run("long_only", seed, ranks_of(rng, 0.3))
    records = read_study(study.path)
    first, second = judged_claims(records, rows(records))
    assert first.verdict is not None
    assert first.verdict.p_adjusted == pytest.approx(2 * first.verdict.p)
    assert (second.verdict, second.outcome) == (None, "no verdict yet")
    printed = claims_grid([first, second])
    assert printed is not None
    assert [cell.text for cell in printed.lines[1].cells][1:5] == ["–"] * 4


def test_one_seed_is_tested_over_users_and_gets_no_dagger(make_study):
    study = make_study(seeds=[1])
    rng = np.random.default_rng(0)
    study.run("gated", 1, ranks_of(rng, 0.95))
    study.run("long_only", 1, ranks_of(rng, 0.1))
    records = read_study(study.path)
    made = {row.cell: row for row in rows(records)}
    said = made["gated"].against["recall@10"]
    assert said.p_adjusted < 0.001
    assert made["gated"].side("recall@10") == 0
    start = "One seed: users only, for transformer + gru | gated"
    assert any(line.startswith(start) for line in notes(records, rows(records)))


def test_other_users_are_not_compared(make_study):
    study = make_study(seeds=[1, 2])
    for seed in (1, 2):
        study.run("gated", seed, [0, 1, 2])
        study.run("long_only", seed, [0, 1, 2, 3])
    assert all(row.against == {} for row in rows(read_study(study.path)))


def test_an_arm_is_compared_with_the_one_that_reads_less(make_study):
    study = make_study(axes={"encoder@short": ["gru", "lstm"], "fusion": ["gated", "long_only"]}, seeds=[1])
    for short in ("gru", "lstm"):
        study.run("gated", 1, [0, 1], cell=short, arm={"encoder@short": short, "fusion": "gated"})
    study.run("long_only", 1, [0, 1], arm={"fusion": "long_only"})
    study.run("", 1, [0, 1], kind="baseline", label="popularity", cell="popularity")
    records = read_study(study.path)
    made = rows(records)
    found = {row.cell: baseline_of(row, made, records.baseline) for row in made}
    assert {cell: row and row.cell for cell, row in found.items()} == dict.fromkeys(found, "long_only")


def test_two_baseline_arms_are_none_for_a_row_without_training(make_study):
    study = make_study(axes={"k": [5, 10], "fusion": ["gated", "long_only"]}, seeds=[1])
    for k in ("5", "10"):
        study.run("long_only", 1, [0], cell=k, arm={"k": k, "fusion": "long_only"})
    study.run("", 1, [0], kind="baseline", label="popularity", cell="popularity")
    records = read_study(study.path)
    made = rows(records)
    assert baseline_of(made[0], made, records.baseline) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"claims": ["gatd > long_only on ndcg@10"]}, r"study.yaml: Claim .*no arm 'gatd'.*Did you mean 'gated'"),
        ({"claims": "gated > long_only on ndcg@10"}, "'claims' should be a list"),
        ({"family": "bonferroni"}, "no correction 'bonferroni'. Known: holm, benjamini_hochberg"),
    ],
)
def test_a_damaged_study_file(make_study, content, message):
    study = make_study(**content)
    study.run("gated", 1, [0])
    with pytest.raises(UserError, match=message):
        read_study(study.path)


def test_daggers_are_rarely_wrong(tmp_path):
    """Arms whose seeds alone differ: a dagger in a table of four arms is an error, and 5 % of tables at most have one.

    The bound is what a procedure with exactly 5 % exceeds with a probability of 1e-4.
    """
    rng, tables, arms, users, wrong = np.random.default_rng(7), 120, 4, 50, 0
    records: Any = SimpleNamespace(directory=tmp_path, family="holm")
    for _ in range(tables):
        taste = rng.normal(size=users)
        runs: list[Any] = [
            tuple(SimpleNamespace(kind="model", ranks=drawn(rng, taste, users)) for _ in range(3))
            for _ in range(arms + 1)
        ]
        asked = [Asked(Claim("a", "b", "ndcg@10", ""), runs[arm], runs[0]) for arm in range(1, arms + 1)]
        wrong += any(each is not None and each.outcome != "undecided at this size" for each in judged(records, asked))
    assert wrong <= stats.binom.isf(1e-4, tables, 0.05)


def drawn(rng: np.random.Generator, taste: np.ndarray, users: int) -> SimpleNamespace:
    """Ranks of one run: what a user is like, what the seed adds, and noise of the two together."""
    score = taste + 0.3 * rng.normal() + rng.normal(size=users)
    better = np.clip(np.floor(np.exp(2.5 - score)), 0, 500).astype(int)
    return SimpleNamespace(user_N=np.arange(users), better_N=better, ties_N=np.zeros(users, dtype=int))


class TestRemembered:
    def test_the_same_with_the_file_and_without(self, effect, monkeypatch):
        def found():
            monkeypatch.setattr(remembered, "KNOWN", {})
            return {row.cell: row.against for row in rows(read_study(effect.path))}

        def numbers(rows_):
            return {(c, m): (v.p, v.p_adjusted, v.interval) for c, of in rows_.items() for m, v in of.items()}

        first = numbers(found())
        assert not (effect.path / "tests.json").exists()
        monkeypatch.setattr(remembered, "WORTH", 0.0)
        assert numbers(found()) == first
        written = (effect.path / "tests.json").read_bytes()
        assert numbers(found()) == first
        assert (effect.path / "tests.json").read_bytes() == written

    def test_it_is_used_and_follows_the_ranks(self, effect, monkeypatch):
        monkeypatch.setattr(remembered, "WORTH", 0.0)
        monkeypatch.setattr(remembered, "KNOWN", {})
        rows(read_study(effect.path))
        path = effect.path / "tests.json"
        path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), 0.5)))
        monkeypatch.setattr(remembered, "KNOWN", {})
        assert {each.p for row in rows(read_study(effect.path)) for each in row.against.values()} == {0.5}
        effect.run("gated", 4, [0] * USERS)
        said = {row.cell: row.against for row in rows(read_study(effect.path))}
        assert said["popularity"]["ndcg@10"].p == 0.5
        assert said["gated"]["ndcg@10"].p < 0.5

    @pytest.mark.parametrize("content", ["", "[1]", '{"a": 7, "b": "x"}', "\x00"])
    def test_a_damaged_file_is_none(self, tmp_path, content):
        (tmp_path / "tests.json").write_text(content)
        assert remembered.Remembered(tmp_path).stored == {}
