"""From interactions in a file to prepared histories on disk, without ever holding all of them in memory.

`research.data.prepare.to_histories` is the slow twin: the same arrays, byte for byte, from a table in memory.

Shape legend: N interactions that are kept, n of one block, U users, I items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.data import store
from research.data.arrays import ArrayFile
from research.data.by_user import by_user
from research.data.columns import digest_of_columns, encode_features, smallest
from research.data.histories import Histories
from research.data.interactions import Interactions

if TYPE_CHECKING:
    import polars as pl


def build(
    log: Interactions,
    kept_N: np.ndarray | None,
    directory: Path,
    *,
    titles: Mapping[str, str] | None = None,
    item_table: pl.DataFrame | None = None,
    user_table: pl.DataFrame | None = None,
) -> None:
    """Number what is kept by first appearance, sort it by user and time, and write it into the new ``directory``.

    Args:
        log: all interactions of the source.
        kept_N: which of them are kept; ``None``: all.
        directory: for `store.load`.
        titles: by the source's own item id; items without one get an empty title.
        item_table: `Source.item_features`.
        user_table: `Source.user_features`.

    Raises:
        OSError: the disk is full.
    """
    directory.mkdir(parents=True)
    order = log.appearance(kept_N)
    count_U, _ = log.counts(kept_N)
    length_U = count_U if order["user"] is None else count_U[order["user"]]
    offsets = np.concatenate([[0], np.cumsum(length_U)])
    user_ids, item_ids = log.users.names(order["user"]), log.items.names(order["item"])
    vocabularies = {name: numbering.names(order[name]) for name, numbering in log.columns.items()}

    kinds = {"items": np.dtype(np.int32), "times": np.dtype(np.int64)}
    kinds |= {store.column_file(k): smallest(len(names)) for k, names in enumerate(vocabularies.values())}
    files = {name: ArrayFile(directory / f"{name}.npy", kind, int(offsets[-1])) for name, kind in kinds.items()}
    blocks = _renumbered(log, kept_N, order)
    for records_n in by_user(blocks, length_U, log.rows.dtype, log.time, log.folder):
        files["items"].append(records_n["item"] + 1)
        files["times"].append(records_n["time"])
        for k, name in enumerate(vocabularies):
            files[store.column_file(k)].append(records_n[name])
    arrays = {name: file.close() for name, file in files.items()}

    columns = {name: arrays[store.column_file(k)] for k, name in enumerate(vocabularies)}
    item_features = encode_features(item_table, "item", item_ids)
    user_features = encode_features(user_table, "user", user_ids)
    histories = Histories(
        name=log.name,
        offsets=offsets,
        items=arrays["items"],
        times=arrays["times"],
        n_items=len(item_ids),
        has_times=log.has_times,
        user_ids=user_ids,
        item_ids=item_ids,
        digest=store.digest(offsets, arrays["items"], arrays["times"], user_ids, item_ids, log.has_times),
        titles=np.array([titles.get(one, "") for one in item_ids.tolist()]) if titles is not None else None,
        columns=columns,
        vocabularies=vocabularies,
        item_features=item_features,
        user_features=user_features,
        columns_digest=digest_of_columns(columns, vocabularies, item_features, user_features),
    )
    store.save(histories, directory, written=arrays)


def _renumbered(
    log: Interactions, kept_N: np.ndarray | None, order: Mapping[str, np.ndarray | None]
) -> Iterator[np.ndarray]:
    """Blocks of records with the new numbers."""
    new: dict[str, np.ndarray] = {}
    for key, present_K in order.items():
        if present_K is None:
            continue
        base = int(key in log.columns)  # code 0 of a column is the unknown and stays
        new[key] = np.zeros(base + int(present_K.max(initial=0)) + 1, np.int32)
        new[key][base + present_K] = base + np.arange(len(present_K))
    for _, records_n in log.blocks(kept_N):
        for key, new_K in new.items():
            records_n[key] = new_K[records_n[key]]  # whatever is not kept has no new number, and does not occur
        yield records_n
