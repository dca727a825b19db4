"""Vectors that somebody made beforehand, read from a file and matched by item id.

Shape legend: I items, E numbers of a vector.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from research.errors import UserError
from research.items import adaptors, reduction
from research.items.content import Content
from research.items.encoded import Encoded, Given, Missing
from research.items.said import say_missing
from research.items.vector_files import read_vectors
from research.sizes import Sizes

STATED = 384
"""Numbers of a vector where no file is at hand and only sizes are counted."""


class Vectors(Encoded):
    """The vectors of a file."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        path: str | None = None,
        ids: str | None = None,
        id_column: str = "item",
        vector_column: str = "vector",
        reduce: reduction.Kind = "none",
        components: int | None = None,
        adaptor: adaptors.Kind = "linear",
        missing: Missing = "zero",
        std: float = 0.02,
    ) -> None:
        """Read the file.

        Args:
            sizes: of the run.
            content: of the items, whose ids are looked for.
            path: ``.npy``, ``.npz``, ``.safetensors`` or ``.parquet``.
            ids: file of the item ids, one a line, in the order of the vectors; for ``.npy``, and for
                ``.safetensors`` where the ids are words.
            id_column: name of the ids in the file.
            vector_column: name of the vectors in the file.
            reduce: ``none``, ``pca`` or ``whiten``.
            components: kept by a reduction; ``None``: all.
            adaptor: ``linear``, ``mlp`` or ``moe``.
            missing: the vector of an item that the file does not have: ``zero``, or one that is ``learned``.
            std: standard deviation of the initial item vectors.

        Raises:
            UserError: the file cannot be read, has another shape, or has none of the items.
        """
        if content is None:
            given = Given.nothing(sizes, STATED)
        elif path is None:
            raise UserError(
                "items=vectors needs a file: items.path=FILE, a .npy, .npz, .safetensors or .parquet with vectors of "
                "items and their ids."
            )
        else:
            given = _matched(Path(path).expanduser(), ids, id_column, vector_column, content)
            say_missing(f"vector in {path}", given.known_I, content)
        super().__init__(sizes, given, reduce=reduce, components=components, adaptor=adaptor, missing=missing, std=std)


def _matched(path: Path, ids: str | None, id_column: str, vector_column: str, content: Content) -> Given:
    names, vectors = read_vectors(path, Path(ids).expanduser() if ids else None, id_column, vector_column)
    place = {name: row for row, name in enumerate(names)}
    if len(place) < len(names):
        raise UserError(f"{path}: an item id occurs more than once.")
    row_I = np.array([place.get(name, -1) for name in content.item_ids.tolist()])
    known_I = row_I >= 0
    if not known_I.any():
        raise UserError(
            f"{path} has none of the items of {content.name!r}: it has {', '.join(names[:3])}, ..., and the items are "
            f"called {', '.join(content.item_ids[:3].tolist())}, ..."
        )
    vectors_IE = np.zeros((len(content), vectors.shape[1]), dtype=np.float32)
    vectors_IE[known_I] = vectors[row_I[known_I]]
    return Given.of(vectors_IE, known_I, content)
