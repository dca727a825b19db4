"""The sentence that answers a study's question."""

from __future__ import annotations

import pytest

from research.reports.answer import answer, headline_metric
from research.reports.rows import read_study, rows


def said(study, metric="recall@10"):
    records = read_study(study.path)
    return answer(rows(records), metric, records.baseline)


def test_gain_beyond_the_seed_spread(small):
    sentence = said(small)
    # .875 - .5 = .375 against .1768 + 0.
    assert "gated has the highest mean Recall@10, .8750 ± .1768 over 2 seeds" in sentence
    assert "that is .3750 above the baseline arm, transformer + gru | long_only (.5000 ± .0000)" in sentence
    assert "more than the seed spread" in sentence
    assert "add up to .1768" in sentence


def test_gain_within_the_seed_spread(make_study):
    study = make_study()
    study.run("gated", 1, [0, 0])
    study.run("gated", 2, [0, 50])
    study.run("long_only", 1, [0, 50])
    study.run("long_only", 2, [0, 50])
    # .75 ± .3536 against .5 ± 0: the gap .25 is smaller than .3536.
    assert "within seed spread" in said(study)


def test_baseline_arm_on_top(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0, 50])
    study.run("long_only", 1, [0, 0])
    sentence = said(study)
    assert "long_only has the highest" in sentence
    assert "it is the baseline arm; that is .5000 above the next arm" in sentence
    assert "too few seeds" in sentence
    assert "over 1 seed;" in sentence or "over 1 seed," in sentence


def test_equal_arms(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0])
    study.run("long_only", 1, [0])
    assert "has the same to four digits" in said(study)


def test_untrained_row_on_top(make_study):
    study = make_study(seeds=[1])
    study.run("gated", 1, [0, 50])
    study.run("", 0, [0, 0], kind="baseline", label="EASE", cell="ease")
    sentence = said(study)
    assert "no other arm has finished yet" in sentence
    assert "EASE" in sentence
    assert "no arm is above it" in sentence


@pytest.mark.parametrize("word", ["significant", "proves", "confirms"])
def test_no_word_of_significance(small, word):
    assert word not in said(small).lower()


def test_headline_metric():
    assert headline_metric(["recall@10", "ndcg@10"]) == "ndcg@10"
    assert headline_metric(["hr@5", "mrr@5"]) == "hr@5"
