"""Ranges and lists as files and command lines say them; a mistake is named."""

from __future__ import annotations

import pytest
import yaml

from research.errors import UserError
from research.tuning.budget import read_tune
from research.tuning.space import Choice, Range, read_space, read_word, words, written
from research.tuning.words import read_tune_file, split_words


def test_a_file_and_the_words_say_the_same():
    said = yaml.safe_load(
        "{optimizer.lr: {low: 0.0003, high: 0.01, log: true}, dropout: [0.1, 0.2], window.k: {low: 2, high: 20, "
        "whole: true}, width: {low: 8, high: 64}}"
    )
    space = read_space(said, "here")
    assert space == {
        "optimizer.lr": Range(0.0003, 0.01, log=True),
        "dropout": Choice((0.1, 0.2)),
        "window.k": Range(2, 20, whole=True),
        "width": Range(8, 64),
    }
    assert read_word("log(0.0003,0.01)") == space["optimizer.lr"]
    assert read_word("[0.1, 0.2]") == space["dropout"]
    assert read_word("whole(2, 20)") == space["window.k"]
    assert read_word("uniform(8,64)") == space["width"]
    assert written(space) == said


def test_an_exponent_without_a_point_is_a_number():
    """YAML 1.1 reads 3e-4 as a word."""
    assert read_space(yaml.safe_load("{optimizer.lr: {low: 3e-4, high: 1e-2}}"), "x")["optimizer.lr"] == Range(
        3e-4, 1e-2
    )
    assert read_word("log(3e-4,1e-2)") == Range(3e-4, 1e-2, log=True)


def test_values_as_overrides():
    values = {"optimizer.lr": 1e-05, "overlap": True, "loss.chunk": None, "window.k": 3, "fusion": "sum"}
    assert words(values) == ["optimizer.lr=1e-05", "overlap=true", "loss.chunk=null", "window.k=3", "fusion=sum"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "should map keys"),
        ({}, "should map keys"),
        ({"dropout": 0.1}, "dropout should be a range or a list"),
        ({"dropout": []}, "dropout should be a range or a list"),
        ({"dropout": [0.1, 0.1]}, "twice"),
        ({"dropout": [[0.1]]}, "not a plain value"),
        ({"lr": {"low": 1}}, "'high' should be a number"),
        ({"lr": {"low": "a", "high": 2}}, "'low' should be a number"),
        ({"lr": {"low": True, "high": 2}}, "'low' should be a number"),
        ({"lr": {"low": 2, "high": 1}}, "less than 'high'"),
        ({"lr": {"low": 0, "high": 1, "log": True}}, "begins above 0"),
        ({"k": {"low": 0.5, "high": 3, "whole": True}}, "whole numbers"),
        ({"lr": {"low": 1, "high": 2, "lag": True}}, "Did you mean 'log'"),
        ({"seed": [1, 2]}, "leave 'seed' out"),
    ],
)
def test_a_wrong_space_is_named(content, message):
    with pytest.raises(UserError, match=message):
        read_space(content, "s.yaml: tune.space")


SPACE = {"dropout": [0.1, 0.2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "should be a mapping"),
        ({"space": SPACE}, "needs 'trials'"),
        ({"trials": 3}, "needs 'space'"),
        ({"trials": 0, "space": SPACE}, "trials=0"),
        ({"trials": True, "space": SPACE}, "trials=True"),
        ({"trials": 2, "sead": 1, "space": SPACE}, "Did you mean 'seed'"),
        ({"trials": 2, "seed": -1, "space": SPACE}, "seed=-1"),
        ({"trials": 2, "sampler": "tep", "space": SPACE}, "Did you mean 'tpe'"),
        ({"trials": 2, "prune": "mean", "space": SPACE}, "median, or null"),
        ({"trials": 2, "metric": "recall@10", "space": SPACE}, "validation measures ndcg@10"),
        ({"trials": 3, "sampler": "grid", "space": SPACE}, "2 points, fewer than"),
        ({"trials": 1, "sampler": "grid", "space": {"x": {"low": 1, "high": 2}}}, "list of values, not a range"),
        ({"trials": 1, "space": SPACE, "baselines": ["ease"]}, "should map a baseline"),
        ({"trials": 1, "space": SPACE, "baselines": {"ease": {}}}, "baselines.ease should map"),
    ],
)
def test_a_wrong_section_is_named(content, message):
    with pytest.raises(UserError, match=message):
        read_tune(content, "s.yaml")


def test_a_section_reads_back():
    content = {"trials": 3, "sampler": "tpe", "seed": 4, "prune": "median", "metric": "ndcg@10", "space": SPACE}
    content["baselines"] = {"ease": {"baseline.l2": {"low": 1, "high": 9, "log": True}}}
    tune = read_tune(content, "s.yaml")
    assert tune.written() == content
    assert (tune.budget.trials, tune.budget.seed, tune.budget.prune) == (3, 4, "median")


def test_words_that_are_searched_are_told_from_the_arm():
    """A list is a space, unless its key takes several values at once."""
    arm, space = split_words(["data=ml-100k", "augmentation=[crop,mask]", "auxiliary=[contrast]", "dropout=[0.1,0.2]",
                              "encoder@short=[gru,lstm]", "optimizer.lr=log(0.001,0.1)", "width=8"])  # fmt: skip
    assert arm == ["data=ml-100k", "augmentation=[crop,mask]", "auxiliary=[contrast]", "width=8"]
    assert space == {
        "dropout": Choice((0.1, 0.2)),
        "encoder@short": Choice(("gru", "lstm")),
        "optimizer.lr": Range(0.001, 0.1, log=True),
    }


@pytest.mark.parametrize("word", ["optimizer.lr=log(1)", "optimizer.lr=log(2,1)", "dropout=[]"])
def test_a_wrong_word_is_named(word):
    with pytest.raises(UserError, match=r"range|list|ends"):
        split_words([word])


def test_the_shipped_file_is_one_and_an_absent_one_is_named(tmp_path):
    assert set(read_tune_file("default").space) == {"optimizer.lr", "dropout"}
    with pytest.raises(UserError, match="no file"):
        read_tune_file(str(tmp_path / "none.yaml"))
