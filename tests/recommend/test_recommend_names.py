"""Which item a person means, against a catalogue of seven."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from research.errors import UserError
from research.recommend.names import Names

TITLES = ["Heat (1995)", "Toy Story (1995)", "Heat (1986)", "Toy Story (1995)", "1", "", "Casablanca (1942)"]
COUNTS = np.array([5, 2, 1, 9, 1, 1, 3])


@pytest.fixture
def names(make_histories) -> Names:
    return Names(replace(make_histories([1, 2], n_items=7), titles=np.array(TITLES)), COUNTS)


@pytest.mark.parametrize(
    ("word", "item"),
    [
        ("Heat (1995)", 1),
        ("  heat   (1986) ", 3),
        ("CASABLANCA", 7),
        ("i6", 6),
        ("1", 5),  # a title comes before an id
        ("Toy Story (1995)", 4),  # the one that was trained on most often
        ("toy story", 4),
    ],
)
def test_a_title_an_id_or_a_title_without_its_year(names: Names, word: str, item: int) -> None:
    assert names.items([word]).tolist() == [item]


def test_the_order_is_kept_and_nothing_between_signs_is_no_item(names: Names) -> None:
    assert names.items(["Casablanca", " i1", "", " Casablanca ", ""]).tolist() == [7, 1, 7]


def test_two_items_of_one_title_are_said(names: Names) -> None:
    names.items(["Toy Story (1995)", "Heat (1995)"])
    assert names.notes == ["2 items are called 'Toy Story (1995)'; taken is i4, trained on most often."]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["heat"], r"'heat' may be one of 2 titles: Heat \(1995\); Heat \(1986\)\. Say which"),
        (["Casablnca"], r"No item of 'by hand' is called 'Casablnca'\. Did you mean 'Casablanca \(1942\)'"),
        (["blanca"], r"Did you mean 'Casablanca \(1942\)'\?"),
        (["i44"], r"Did you mean .*'i"),
        (["????"], r"Give a title, or the source's own id"),
        (["", " "], "This history is empty"),
    ],
)
def test_what_names_no_item_is_refused(names: Names, words: list[str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        names.items(words)


def test_a_catalogue_without_titles_has_ids(make_histories) -> None:
    names = Names(make_histories([1, 2]), np.array([1, 1]))
    assert names.items(["i2"]).tolist() == [2] and names.title(1) is None
    with pytest.raises(UserError, match="Did you mean 'i"):
        names.items(["i22"])
