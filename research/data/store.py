"""Prepared histories on disk: one .npy file an array, memory-mapped at use, and meta.json, written last.

A directory appears under its final name only when it is complete. Every load compares the files' sizes, types
and shapes with meta.json; the SHA-256 over the arrays is compared too when they are small or when it is asked
for. Columns and features are files with numbers, as their names come from anywhere; meta.json names them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from research.data.arrays import feed
from research.data.columns import Feature, digest_of_columns
from research.data.histories import Histories

FORMAT = 2
VERIFY_BELOW_BYTES = 32 * 1024 * 1024
"""Smaller sets are hashed at every load: about 1 ms a megabyte."""

_ARRAYS = ("offsets", "items", "times", "user_ids", "item_ids", "titles")
_PLAIN = ("name", "n_items", "has_times", "digest", "columns_digest")
_FEATURES = ("item_features", "user_features")
_PARTS = ("offsets", "codes", "names")


class DamagedError(Exception):
    """A prepared directory that is incomplete or altered; it is rebuilt."""


def digest(
    offsets: np.ndarray,
    items: np.ndarray,
    times: np.ndarray,
    user_ids: np.ndarray,
    item_ids: np.ndarray,
    has_times: bool,
) -> str:
    """SHA-256 over what the interactions are: not the name, not the titles, not where the file came from."""
    sha = hashlib.sha256(f"histories 1 times={bool(has_times)}".encode())
    for array in (offsets, items, times, user_ids, item_ids):
        sha.update(f"|{array.dtype.str}{array.shape}".encode())
        feed(sha, array)
    return sha.hexdigest()


def digest_of(histories: Histories) -> str:
    """`digest` of a whole `Histories`, from its arrays as they are now."""
    h = histories
    return digest(h.offsets, h.items, h.times, h.user_ids, h.item_ids, h.has_times)


def columns_digest_of(histories: Histories) -> str:
    """`digest_of_columns` of a whole `Histories`, from its arrays as they are now."""
    h = histories
    return digest_of_columns(h.columns, h.vocabularies, h.item_features, h.user_features)


def column_file(number: int) -> str:
    """The name of the file with a column's codes."""
    return f"column-{number}-codes"


def save(histories: Histories, directory: Path, *, written: Collection[str] = ()) -> None:
    """Write ``histories`` into ``directory``, which is made.

    Args:
        histories: a set.
        directory: new, or with nothing but the arrays that are written already.
        written: names of these.

    Raises:
        OSError: the file system refused.
    """
    directory.mkdir(parents=True, exist_ok=bool(written))
    h, arrays = histories, {}

    def write(name: str, array: np.ndarray) -> None:
        path = directory / f"{name}.npy"
        if name not in written:
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        arrays[name] = {"bytes": path.stat().st_size, "dtype": array.dtype.str, "shape": list(array.shape)}

    for name in _ARRAYS:
        if getattr(h, name) is not None:
            write(name, getattr(h, name))
    for number, name in enumerate(h.columns):
        write(column_file(number), h.columns[name])
        write(f"column-{number}-names", h.vocabularies[name])
    for kind in _FEATURES:
        for number, feature in enumerate(getattr(h, kind).values()):
            for part in _PARTS:
                write(f"{kind}-{number}-{part}", getattr(feature, part))
    named = {kind: list(getattr(h, kind)) for kind in ("columns", *_FEATURES)}
    meta = {"format": FORMAT, **{key: getattr(h, key) for key in _PLAIN}, **named, "arrays": arrays}
    with (directory / "meta.json").open("w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def load(directory: Path, *, verify: bool | None = None) -> Histories:
    """Map the histories of ``directory`` into memory; no interaction is read until it is used.

    Args:
        directory: written by `save`.
        verify: hash every array and compare; ``None`` does so below 32 MiB.

    Raises:
        DamagedError: something is missing, of another size, type or shape, or of another digest.
    """
    try:
        meta = json.loads((directory / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            raise DamagedError(f"format {meta['format']} instead of {FORMAT}")
        arrays = {name: _map(directory / f"{name}.npy", said) for name, said in meta["arrays"].items()}
        histories = _histories(meta, arrays)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    size = sum(array.nbytes for array in arrays.values())
    if size < VERIFY_BELOW_BYTES if verify is None else verify:
        now = (digest_of(histories), columns_digest_of(histories))
        if now != (histories.digest, histories.columns_digest):
            raise DamagedError("its content does not match its digest")
    return histories


def _map(path: Path, said: dict[str, Any]) -> np.ndarray:
    if path.stat().st_size != said["bytes"]:
        raise DamagedError(f"{path.name} has {path.stat().st_size:,} bytes instead of {said['bytes']:,}")
    empty = 0 in said["shape"]  # what holds nothing cannot be mapped
    array = np.load(path, mmap_mode=None if empty else "r", allow_pickle=False)
    if [array.dtype.str, list(array.shape)] != [said["dtype"], said["shape"]]:
        raise DamagedError(f"{path.name} holds {array.dtype.str}{array.shape}")
    return array


def _histories(meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> Histories:
    def features(kind: str) -> dict[str, Feature]:
        names = list(enumerate(meta[kind]))
        return {name: Feature(*(arrays[f"{kind}-{number}-{part}"] for part in _PARTS)) for number, name in names}

    numbered = list(enumerate(meta["columns"]))
    return Histories(
        name=meta["name"],
        offsets=arrays["offsets"],
        items=arrays["items"],
        times=arrays["times"],
        n_items=meta["n_items"],
        has_times=meta["has_times"],
        user_ids=arrays["user_ids"],
        item_ids=arrays["item_ids"],
        digest=meta["digest"],
        columns_digest=meta["columns_digest"],
        titles=arrays.get("titles"),
        columns={name: arrays[column_file(number)] for number, name in numbered},
        vocabularies={name: arrays[f"column-{number}-names"] for number, name in numbered},
        item_features=features("item_features"),
        user_features=features("user_features"),
    )
