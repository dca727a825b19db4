"""What a file says beside user, item and time, as integer codes with their names: of interactions, items and users.

Codes begin at 1, by first appearance in the file; 0 means unknown, as it means padding among items. So an embedding
table for a column has ``len(names) + 1`` rows.

Shape legend: N interactions, R rows of a feature (items or users), C codes of all rows, V names, L codes of a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from research.data.arrays import feed

if TYPE_CHECKING:
    import polars as pl

NOT_CODES = ("user", "item", "time", "moment", "rating", "latitude", "longitude")
"""Columns of a source's table that are no categories; every other one is carried along."""


@dataclass(frozen=True)
class Feature:
    """Any number of codes for each item or each user, such as the genres of a film.

    Attributes:
        offsets: ``(R + 1,)`` int64; row ``r`` has ``codes[offsets[r]:offsets[r + 1]]``. Item ``i`` is row ``i - 1``.
        codes: ``(C,)`` from 1.
        names: ``(V,)``; ``names[c - 1]`` names code ``c``.
    """

    offsets: np.ndarray
    codes: np.ndarray
    names: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, row: int) -> list[str]:
        """The names of one row."""
        return self.names[self.codes[self.offsets[row] : self.offsets[row + 1]].astype(np.int64) - 1].tolist()

    def rectangle(self) -> np.ndarray:
        """``(R, L)`` int64 codes, padded with 0 to the longest row."""
        length_R = np.diff(self.offsets)
        inside_RL = np.arange(max(1, int(length_R.max(initial=0)))) < length_R[:, None]
        codes_RL = np.zeros(inside_RL.shape, dtype=np.int64)
        codes_RL[inside_RL] = self.codes
        return codes_RL


def encode(values: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Codes by first appearance, in the smallest type that holds them, and the names as strings.

    Returns:
        ``(N,)`` codes, 0 where the value is null, and ``(V,)`` names.
    """
    import polars as pl

    distinct = values.drop_nulls().unique(maintain_order=True)
    numbers = pl.Series(np.arange(1, len(distinct) + 1, dtype=np.int64))
    codes = values.replace_strict(distinct, numbers, default=0, return_dtype=pl.Int64) if len(distinct) else None
    code_N = np.zeros(len(values), dtype=np.int64) if codes is None else codes.to_numpy()
    names = np.array(distinct.cast(pl.String).to_list(), dtype=np.str_)
    return code_N.astype(smallest(len(names))), names


def smallest(largest: int) -> np.dtype:
    """The unsigned type for codes up to this one."""
    return np.min_scalar_type(largest)


def encode_columns(rows: pl.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Codes, in the order of ``rows``, and names of every column that is carried."""
    coded = {name: encode(rows[name]) for name in rows.columns if name not in NOT_CODES}
    return {name: codes for name, (codes, _) in coded.items()}, {name: names for name, (_, names) in coded.items()}


def encode_features(table: pl.DataFrame | None, key: str, ids: np.ndarray) -> dict[str, Feature]:
    """The features of items or users whose ids are known; others in the table are left out.

    Args:
        table: a column ``key`` with ids, and for each feature a column of values or of lists of values; nulls are no
            values. Of equal ids the first row counts.
        key: ``item`` or ``user``.
        ids: ``(R,)`` the ids of all rows, as strings.
    """
    import polars as pl

    if table is None:
        return {}
    known = pl.DataFrame({key: pl.Series(ids.tolist(), dtype=pl.String)})
    table = table.with_columns(pl.col(key).cast(pl.String)).unique(key, keep="first", maintain_order=True)
    table = known.join(table, on=key, how="left", maintain_order="left")
    features = {}
    for name in table.columns:
        if name == key:
            continue
        lists = table[name] if isinstance(table.schema[name], pl.List) else table[name].reshape((-1, 1)).arr.to_list()
        lists = lists.list.drop_nulls()
        length_R = lists.list.len().fill_null(0).to_numpy()
        codes, names = encode(lists.explode().drop_nulls())
        features[name] = Feature(np.concatenate([[0], np.cumsum(length_R)]).astype(np.int64), codes, names)
    return features


def digest_of_columns(
    columns: Mapping[str, np.ndarray],
    vocabularies: Mapping[str, np.ndarray],
    item_features: Mapping[str, Feature],
    user_features: Mapping[str, Feature],
) -> str:
    """SHA-256 over all of them, whatever order they come in; empty when there are none.

    It is another one than that of the interactions: features come from files that not every place has.
    """
    arrays = {("column", name, "codes"): codes for name, codes in columns.items()}
    arrays |= {("column", name, "names"): names for name, names in vocabularies.items()}
    for kind, features in (("item", item_features), ("user", user_features)):
        for name, feature in features.items():
            parts = {"offsets": feature.offsets, "codes": feature.codes, "names": feature.names}
            arrays |= {(kind, name, part): array for part, array in parts.items()}
    if not arrays:
        return ""
    sha = hashlib.sha256(b"columns 1")
    for key in sorted(arrays):
        array = arrays[key]
        sha.update(f"|{key}{array.dtype.str}{array.shape}".encode())
        feed(sha, array)
    return sha.hexdigest()
