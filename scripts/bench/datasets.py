"""The two datasets of the benchmark, prepared by the framework and handed to everyone as the same arrays."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from research.errors import UserError

ROOT = Path(__file__).parents[2]
BESIDE = ROOT.parent / "shared" / "data"
"""Where raw files are looked for when RESEARCH_MIRROR names no place."""


@dataclass(frozen=True)
class Dataset:
    """Short histories or long ones.

    Attributes:
        source: as in ``data=NAME``.
        title: in tables.
        max_length: positions of a row.
        epochs: timed in a process of framework or reference, behind one of warm-up; short ones need more.
    """

    source: str
    title: str
    max_length: int
    epochs: int


DATASETS = {
    "beauty": Dataset("beauty-s3", "Beauty", 50, 4),
    "ml-1m": Dataset("ml-1m-sasrec", "ML-1M", 200, 2),
}


@dataclass(frozen=True)
class Arrays:
    """A dataset that is ready: the file for everyone, and what the tables need of it."""

    path: Path
    digest: str
    offsets: np.ndarray
    n_items: int


def export(source: str, cache: Path, announce: Callable[[str], None], words: tuple[str, ...] = ()) -> Arrays:
    """Prepare a dataset and write ``offsets``, ``items`` (from 1) and ``n_items`` to one file.

    Args:
        source: as in ``data=NAME``.
        cache: directory of the benchmark.
        announce: shows a line of text, such as the terms of a dataset.
        words: further overrides.

    Raises:
        UserError: the raw file is not to be had; says where it may be put.
    """
    from research.config import compose
    from research.data.atomic import write_whole
    from research.data.load import load

    beside = BESIDE.is_dir() and not os.environ.get("RESEARCH_MIRROR")
    mirrors = [f"paths.mirrors=['{BESIDE}']"] if beside else []
    try:
        histories, _ = load(compose([f"data={source}", *mirrors, *words]), announce=announce)
    except UserError as error:
        raise UserError(f"The benchmark needs {source}: {error}") from error
    path = cache / "data" / f"{source}-{histories.digest[:12]}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        np.savez(content, offsets=histories.offsets, items=histories.items, n_items=histories.n_items)
        write_whole(path, content.getvalue())
    return Arrays(path, histories.digest, np.asarray(histories.offsets), histories.n_items)
