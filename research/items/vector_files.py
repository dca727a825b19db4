"""Files of vectors with the ids of what they belong to. Nothing in them is ever executed: no pickles.

Shape legend: R rows of a file, E numbers of a vector.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.errors import UserError

if TYPE_CHECKING:
    import polars as pl


def read_vectors(path: Path, ids: Path | None, id_column: str, vector_column: str) -> tuple[list[str], np.ndarray]:
    """Ids as words, and ``(R, E)`` float32.

    Args:
        path: ``.npy`` (needs ``ids``), ``.npz``, ``.safetensors`` or ``.parquet``.
        ids: a text file, one id a line; used instead of ids in the file.
        id_column: name of the ids in the file.
        vector_column: name of the vectors in it.

    Raises:
        UserError: it cannot be read, holds no rectangle of numbers, or has another number of ids.
    """
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    readers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors, ".parquet": _parquet}
    if path.suffix not in readers:
        raise UserError(f"{path}: vectors are read from {', '.join(readers)}.")
    arrays = readers[path.suffix](path)
    vectors = arrays.get("", arrays.get(vector_column))
    if vectors is None:
        known = ", ".join(arrays) or "nothing"
        raise UserError(f"{path} has no {vector_column!r}; it has {known}. Name the vectors: items.vector_column=NAME.")
    if vectors.ndim != 2 or not vectors.shape[1] or vectors.dtype.kind not in "fiu":
        raise UserError(
            f"{path}: vectors are a rectangle of numbers, a row an item; this has shape {vectors.shape} of "
            f"{vectors.dtype}."
        )
    if ids is not None:
        names = _lines(ids)
    elif id_column in arrays and arrays[id_column].ndim == 1:
        names = [str(name) for name in arrays[id_column].tolist()]
    else:
        raise UserError(
            f"{path} does not say which items its rows are. Name a file with one id a line, items.ids=FILE, or the "
            f"ids in it, items.id_column=NAME (now {id_column!r})."
        )
    if len(names) != len(vectors):
        raise UserError(f"{path} has {len(vectors):,} vectors and {len(names):,} ids.")
    return names, vectors.astype(np.float32)


def _npy(path: Path) -> dict[str, np.ndarray]:
    try:
        return {"": np.load(path, allow_pickle=False)}
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} cannot be read as an array of NumPy: {error}") from error


def _npz(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as arrays of NumPy: {error}") from error


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:  # by way of torch, as NumPy has no bfloat16
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path} cannot be read as safetensors: {error}") from error
    return {name: (t.float() if t.is_floating_point() else t).numpy() for name, t in found.items()}


def _parquet(path: Path) -> dict[str, np.ndarray]:
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read as a Parquet file: {error}") from error
    return {name: _column(path, table[name]) for name in table.columns}


def _column(path: Path, column: pl.Series) -> np.ndarray:
    import polars as pl

    if not isinstance(column.dtype, (pl.List, pl.Array)):
        return column.to_numpy()
    lists = column.to_list()
    if column.null_count() or len({len(one) for one in lists}) > 1 or any(None in one for one in lists):
        raise UserError(f"{path}: the vectors in {column.name!r} have several lengths, or some are missing.")
    return np.array(lists)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list of item ids: {error}") from error
