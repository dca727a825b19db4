"""Files of new items, and the longer catalogue that they make."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from research.data.columns import Feature
from research.errors import UserError
from research.recommend.items_file import read_items
from research.recommend.new_items import NewItem, with_items

# Three items: Drama; War and Drama; nothing.
GENRE = Feature(np.array([0, 1, 3, 3]), np.array([1, 2, 1], dtype=np.uint8), np.array(["Drama", "War"]))
ITEMS = [NewItem("n1", "One (2020)", {"genre": ["War", "Drama"]}), NewItem("n2", "", {"genre": []})]


def write(path: Path) -> Path:
    """The same two items in each format."""
    if path.suffix == ".csv":
        path.write_text("item,title,genre\nn1,One (2020),War| Drama\nn2,,\n")
    elif path.suffix == ".tsv":
        path.write_text("title\titem_id\tgenre\nOne (2020)\tn1\tWar|Drama\n\tn2\t\n")
    elif path.suffix == ".jsonl":
        rows = [{"id": "n1", "title": "One (2020)", "genre": ["War", "Drama"]}, {"id": "n2"}]
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        columns = {"item": ["n1", "n2"], "title": ["One (2020)", None], "genre": [["War", "Drama"], None]}
        pl.DataFrame(columns).write_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_says_the_same(tmp_path: Path, suffix: str) -> None:
    read = read_items(write(tmp_path / f"new{suffix}"), {"genre": GENRE}, ["1", "2", "3"])
    assert read.items == ITEMS and read.notes == []


def test_numbers_are_ids_as_the_source_writes_them(tmp_path: Path) -> None:
    pl.DataFrame({"id": [7.0, 8.0]}).write_parquet(tmp_path / "new.parquet")
    assert [item.item for item in read_items(tmp_path / "new.parquet", {}, []).items] == ["7", "8"]


def test_what_the_data_do_not_know_is_left_out_and_said(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("item,genre,year\nn1,Drama|Anime|Anime,2020\nn2,Pixar,2021\n")
    read = read_items(tmp_path / "new.csv", {"genre": GENRE}, [])
    assert [item.words for item in read.items] == [{"genre": ["Drama"]}, {"genre": []}]
    assert read.notes == [
        "Unknown to the data and left out: 2 of the words of genre, such as 'Anime'.",
        "Columns of new.csv that the data do not know: year.",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title,genre\nOne,War\n", "no column of ids: item, item_id, id are looked for, and it has title, genre"),
        ("item,title\n", "holds no items"),
        ("", "is empty"),
        ("item,title\n1,One\n", r"1 id\(s\) are in the catalogue already, such as '1'"),
        ("item,title\nn1,One\nn1,Two\n", r"occur more than once, such as 'n1'"),
        ("item,title\nn1,One\n,Two\n", "item 2 has no id"),
        ("item,title,title\nn1,One,Two\n", "two of its columns have one name"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "new.csv").write_text(text)
    with pytest.raises(UserError, match=says):
        read_items(tmp_path / "new.csv", {"genre": GENRE}, ["1", "2", "3"])


def test_other_damage_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "new.jsonl").write_text('{"item": "n1"}\nno record\n')
    (tmp_path / "new.parquet").write_text("no table")
    for name, says in (("new.jsonl", "line 2 is no JSON"), ("new.parquet", "as a Parquet"), ("none.csv", "no file")):
        with pytest.raises(UserError, match=says):
            read_items(tmp_path / name, {}, [])


def test_a_longer_catalogue_keeps_what_was_there(make_histories) -> None:
    before = replace(make_histories([1, 2], [3]), titles=np.array(["a", "b", "c"]), item_features={"genre": GENRE})
    after = with_items(before, ITEMS)
    assert after.n_items == 5 and after.item_ids.tolist() == ["i1", "i2", "i3", "n1", "n2"]
    assert after.titles is not None and after.titles.tolist() == ["a", "b", "c", "One (2020)", ""]
    genre = after.item_features["genre"]
    assert [genre.of(row) for row in range(5)] == [["Drama"], ["War", "Drama"], [], ["War", "Drama"], []]
    assert genre.names.tolist() == ["Drama", "War"]
    assert after.items is before.items and after.offsets is before.offsets
    assert with_items(before, []) is before


def test_titles_begin_where_there_were_none(make_histories) -> None:
    after = with_items(make_histories([1, 2]), [NewItem("n", "A title")])
    assert after.titles is not None and after.titles.tolist() == ["", "", "A title"]
    assert with_items(make_histories([1, 2]), [NewItem("n")]).titles is None
