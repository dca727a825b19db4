"""Which parts of a table have something to say of an item that nobody has met."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from research.data.columns import Feature
from research.items.base import ItemTable
from research.items.categories import Categories
from research.items.combined import Combined
from research.items.content import Content
from research.items.ids import Ids
from research.items.random import Random
from research.recommend.known import content_parts, draws_vectors, rows_known
from research.sizes import Sizes

SIZES = Sizes(4, n_items=4)
IDS, RANDOM = ({"_target_": f"research.items.{name}"} for name in ("ids.Ids", "random.Random"))
CATEGORIES = {"_target_": "research.items.categories.Categories", "missing": "learned"}


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """Four items, of which the last two were added; items 1 and 3 have a genre."""
    genre = Feature(np.array([0, 1, 1, 2, 2]), np.array([1, 1]), np.array(["Drama"]))
    ids = np.array(["1", "2", "n1", "n2"])
    return Content("by hand", ids, tmp_path, None, {"genre": genre}, np.array([3, 2, 0, 0]), added=2)


@pytest.mark.filterwarnings("ignore:by hand")
def test_a_learned_vector_of_what_is_missing_is_no_content(content: Content) -> None:
    rows = torch.arange(4)
    both = Combined(SIZES, content, parts={"ids": IDS, "categories": CATEGORIES})
    assert rows_known(both, rows).tolist() == [True, False, True, False]
    assert rows_known(Categories(SIZES, content), rows).tolist() == [True, False, True, False]
    assert [type(part) for part in content_parts(both)] == [Categories]


@pytest.mark.parametrize("table", [Ids, Random])
def test_ids_and_random_vectors_say_nothing(content: Content, table: type[ItemTable]) -> None:
    made = table(SIZES, content)
    assert content_parts(made) == [] and not rows_known(made, torch.arange(4)).any()
    assert draws_vectors(made) == (table is Random)


def test_random_vectors_are_found_beside_other_parts(content: Content) -> None:
    assert draws_vectors(Combined(SIZES, content, parts={"ids": IDS, "random": RANDOM}))
