"""A file of items that training never met: CSV, TSV, JSON lines or Parquet, an id, a title and features in columns.

    item,title,genre
    n1,Arrival (2016),Drama|Sci-Fi

A feature is a column of the dataset's own name. Words that the data do not know are left out, and said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from research.data.columns import Feature
from research.data.delimited import Delimited
from research.data.lines import records
from research.errors import UserError
from research.recommend.new_items import NewItem

ID_COLUMNS = ("item", "item_id", "id")
"""Names of the column with the ids; the first that is there counts."""


@dataclass(frozen=True)
class ItemsFile:
    """Attributes: what was read, and what the reader is to be told of it."""

    items: list[NewItem]
    notes: list[str]


def read_items(path: Path, features: Mapping[str, Feature], taken: Collection[str]) -> ItemsFile:
    """Read a file of items.

    Args:
        path: ``.jsonl``, ``.ndjson`` or ``.parquet``; every other ending is a text, with tabs or commas.
        features: of the dataset's items.
        taken: ids of its catalogue.

    Raises:
        UserError: it cannot be read or holds nothing, has no column of ids, or an id is missing, double or taken.
    """
    columns, rows = _rows(path)
    key = next((name for name in ID_COLUMNS if name in columns), None)
    if key is None:
        raise UserError(
            f"{path} has no column of ids: {', '.join(ID_COLUMNS)} are looked for, and it has {', '.join(columns)}."
        )
    if not rows:
        raise UserError(f"{path} holds no items.")
    ids = [_word(row.get(key)) for row in rows]
    if "" in ids:
        raise UserError(f"{path}: item {ids.index('') + 1} has no id in column {key!r}.")
    for what, some in (("occur more than once", _doubles(ids)), ("are in the catalogue already", _taken(ids, taken))):
        if some:
            raise UserError(
                f"{path}: {len(some):,} id(s) {what}, such as {some[0]!r}. Each new item has an id of its own."
            )
    read = [name for name in columns if name in features]
    known = {name: set(features[name].names.tolist()) for name in read}
    items, foreign = [], {name: dict[str, None]() for name in read}
    for name, row in zip(ids, rows, strict=True):
        words = {feature: _words(row.get(feature)) for feature in read}
        for feature, some in words.items():
            foreign[feature].update(dict.fromkeys(word for word in some if word not in known[feature]))
        kept = {feature: [word for word in some if word in known[feature]] for feature, some in words.items()}
        items.append(NewItem(name, _word(row.get("title")), kept))
    notes = [
        f"Unknown to the data and left out: {len(some):,} of the words of {feature}, such as {next(iter(some))!r}."
        for feature, some in foreign.items()
        if some
    ]
    if unread := [name for name in columns if name not in (key, "title", *read)]:
        notes.append(f"Columns of {path.name} that the data do not know: {', '.join(unread)}.")
    return ItemsFile(items, notes)


def _rows(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Names of the columns, and one dictionary an item."""
    if not path.is_file():
        raise UserError(f"There is no file {path} with new items.")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _parquet(path)
    try:
        return _records(path) if path.suffix.lower() in (".jsonl", ".ndjson", ".json") else _text(path)
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error


def _text(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    with path.open("rb") as file:
        first = file.readline().removeprefix(b"\xef\xbb\xbf")
        file.seek(0)
        layout = Delimited(name=str(path), separator="\t" if b"\t" in first else ",")
        columns = layout.header(first)
        if len(set(columns)) < len(columns):
            raise UserError(f"{path}: two of its columns have one name: {', '.join(columns)}.")
        wanted = {name: (name, str) for name in columns}
        return columns, [row for block in layout.blocks(file, wanted, may_be_empty=columns) for row in block.to_dicts()]


def _records(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    rows = []
    with path.open("rb") as file:
        for number, record in records(file):
            if record is None:
                raise UserError(f"{path}: line {number} is no JSON object.")
            rows.append(record)
    if not rows:
        raise UserError(f"{path} holds no items.")
    return list(dict.fromkeys(name for row in rows for name in row)), rows


def _parquet(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read as a Parquet file: {error}") from error
    return table.columns, table.to_dicts()


def _word(value: Any) -> str:
    """A value as a word; whole numbers that became decimals, because others are missing, are whole again."""
    if value is None or value != value:  # NaN
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()


def _words(value: Any) -> list[str]:
    """The words of a feature: a list, or a text in which ``|`` parts them."""
    return list(filter(None, map(_word, value if isinstance(value, list) else _word(value).split("|"))))


def _doubles(ids: list[str]) -> list[str]:
    return [name for name, times in Counter(ids).items() if times > 1]


def _taken(ids: list[str], taken: Collection[str]) -> list[str]:
    there = set(taken)
    return [name for name in ids if name in there]
