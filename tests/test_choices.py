"""What words choose, before Hydra hears of it; what comes of it is in ``test_config.py``."""

from __future__ import annotations

from pathlib import Path

import pytest

from research.choices import chosen_anew, left_out, read_choices
from research.errors import UserError

USUAL = {"window": "last_k", "encoder@long": "gru", "scoring": None, "auxiliary": []}


def test_a_file_is_its_choices_and_its_values(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("defaults:\n  - _self_\n  - override /window: days\n  - data: toy\nwindow: {days: 2}\nheads: 3\n")
    assert read_choices(file) == ({"window": "days", "data": "toy"}, {"window": {"days": 2}, "heads": 3})
    for nothing in ("", "defaults:\n", "# a comment\n"):
        file.write_text(nothing)
        assert read_choices(file) == ({}, {})
    assert read_choices(tmp_path / "absent.yaml") == ({}, {})
    file.write_text("a: [")
    with pytest.raises(UserError, match=r"m\.yaml is not readable YAML"):
        read_choices(file)


@pytest.mark.parametrize(
    ("words", "of_model", "expected"),
    [
        (["width=8", "window=days"], {}, ["width=8", "window=days"]),
        (["scoring=null", "width=8"], {}, ["width=8"]),
        (["scoring=null", "width=8"], {"scoring": "cosine"}, ["width=8", "~scoring"]),
        (["scoring=NULL"], {"scoring": "cosine"}, ["~scoring"]),
        (["scoring=dot", "scoring=null"], {}, []),
        (["scoring=null", "scoring=dot"], {"scoring": "cosine"}, ["scoring=dot"]),
        (["auxiliary=null"], {}, ["auxiliary=[]"]),
        (["loss.chunk=null", "long.inner=null"], {}, ["loss.chunk=null", "long.inner=null"]),
    ],
)
def test_null_in_hydras_words(words: list[str], of_model: dict, expected: list[str]) -> None:
    assert left_out(words, USUAL, of_model) == expected


@pytest.mark.parametrize("group", ["window", "encoder@long"])
def test_a_part_that_every_run_has(group: str) -> None:
    with pytest.raises(UserError, match=rf"{group}=null: a run needs one; without a word it is {group}="):
        left_out([f"{group}=null"], USUAL, {})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], {}),
        (["window.k=2"], {}),
        (["window=last_k"], {}),
        (["window=days"], {"window": ["window=days"]}),
        (["window.days=2", "width=8", "window=days"], {"window": ["window.days=2", "window=days"]}),
        (["window=days", "window=last_k"], {}),
        (["window={k: 3}"], {}),
        (["~window"], {"window": ["~window"]}),
        (["window=null"], {"window": ["window=null"]}),
        (["encoder@long=lstm", "+long.layers=2"], {"long": ["encoder@long=lstm", "+long.layers=2"]}),
        (["encoder@long=gru", "scoring=dot", "auxiliary=[a,b]"], {}),
    ],
)
def test_parts_in_place_of_a_models(words: list[str], expected: dict) -> None:
    """The model says something of the window and of the long encoder, and nothing of the others."""
    assert chosen_anew(words, USUAL, {"window": {"k": 5}, "long": {"layers": 2}, "heads": 2}) == expected


def test_a_list_is_the_same_in_the_same_order() -> None:
    values = {"auxiliary": {"a": {"weight": 1}}}
    assert chosen_anew(["auxiliary=[a,b]"], {"auxiliary": ["a", "b"]}, values) == {}
    assert chosen_anew(["auxiliary=[a]"], {"auxiliary": ["a", "b"]}, values) == {"auxiliary": ["auxiliary=[a]"]}
