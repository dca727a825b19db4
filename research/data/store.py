"""Prepared histories on disk: one .npy file an array, memory-mapped at use, and meta.json, written last.

A directory appears under its final name only when it is complete. Every load compares the files' sizes, types
and shapes with meta.json; the SHA-256 over the arrays is compared too when they are small or when it is asked
for.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path

import numpy as np

from research.data.histories import Histories

FORMAT = 1
VERIFY_BELOW_BYTES = 32 * 1024 * 1024
"""Smaller sets are hashed at every load: about 1 ms a megabyte."""

_ARRAYS = ("offsets", "items", "times", "user_ids", "item_ids", "titles")


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
    sha = hashlib.sha256(f"histories {FORMAT} times={bool(has_times)}".encode())
    for array in (offsets, items, times, user_ids, item_ids):
        sha.update(f"|{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def digest_of(histories: Histories) -> str:
    """`digest` of a whole `Histories`, from its arrays as they are now."""
    h = histories
    return digest(h.offsets, h.items, h.times, h.user_ids, h.item_ids, h.has_times)


def save(histories: Histories, directory: Path) -> None:
    """Write ``histories`` into the new ``directory``.

    Raises:
        OSError: the file system refused.
    """
    directory.mkdir(parents=True)
    arrays = {}
    for name in _ARRAYS:
        array = getattr(histories, name)
        if array is None:
            continue
        path = directory / f"{name}.npy"
        with path.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        arrays[name] = {"bytes": path.stat().st_size, "dtype": array.dtype.str, "shape": list(array.shape)}
    plain = {f.name: getattr(histories, f.name) for f in fields(histories) if f.name not in _ARRAYS}
    meta = {"format": FORMAT, **plain, "arrays": arrays}
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
        arrays: dict[str, np.ndarray] = {}
        for name, said in meta["arrays"].items():
            path = directory / f"{name}.npy"
            if path.stat().st_size != said["bytes"]:
                raise DamagedError(f"{path.name} has {path.stat().st_size:,} bytes instead of {said['bytes']:,}")
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if [array.dtype.str, list(array.shape)] != [said["dtype"], said["shape"]]:
                raise DamagedError(f"{path.name} holds {array.dtype.str}{array.shape}")
            arrays[name] = array
        histories = Histories(
            name=meta["name"],
            offsets=arrays["offsets"],
            items=arrays["items"],
            times=arrays["times"],
            n_items=meta["n_items"],
            has_times=meta["has_times"],
            user_ids=arrays["user_ids"],
            item_ids=arrays["item_ids"],
            digest=meta["digest"],
            titles=arrays.get("titles"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{type(error).__name__}: {error}") from error
    size = sum(array.nbytes for array in arrays.values())
    if (size < VERIFY_BELOW_BYTES if verify is None else verify) and digest_of(histories) != histories.digest:
        raise DamagedError("its content does not match its digest")
    return histories
