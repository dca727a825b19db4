"""An item is what its picture shows, as a pretrained vision model sees it; the model itself stays as it is.

Pictures lie in one folder, each named by the item's id: ``1193.jpg``. They are encoded once, see
`research.items.encoding`; changed pictures are noticed by their content.

Shape legend: I items, N pictures, S states of a picture, E numbers of a state.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from research.errors import UserError
from research.items import adaptors, reduction
from research.items.content import Content
from research.items.encoded import Encoded, Given, Missing
from research.items.encoding import BATCH, Stored, Told, kept
from research.items.pretrained_model import digest_of, directory_of, loaded
from research.items.said import say_missing
from research.sizes import Sizes

STATED = 768
"""Numbers of a vector where only sizes are counted."""
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
Pooling = Literal["mean", "cls"]


class Image(Encoded):
    """Vectors of pictures."""

    def __init__(
        self,
        sizes: Sizes,
        content: Content | None = None,
        *,
        model: str | None = None,
        revision: str | None = None,
        folder: str | None = None,
        pooling: Pooling = "cls",
        stored: Stored = "float32",
        reduce: reduction.Kind = "none",
        components: int | None = None,
        adaptor: adaptors.Kind = "linear",
        missing: Missing = "zero",
        std: float = 0.02,
    ) -> None:
        """Encode the pictures, or read what was encoded before.

        Args:
            sizes: of the run.
            content: of the items.
            model: a directory, or a name on the hub.
            revision: branch, tag or commit of the hub.
            folder: of the pictures.
            pooling: ``cls`` for the first state (ViT), ``mean`` over all states.
            stored: numbers in the cache.
            reduce: ``none``, ``pca`` or ``whiten``.
            components: kept by a reduction; ``None``: all.
            adaptor: ``linear``, ``mlp`` or ``moe``.
            missing: the vector of an item without a picture: ``zero``, or one that is ``learned``.
            std: standard deviation of the initial item vectors.

        Raises:
            UserError: the model or the folder cannot be had, no item has a picture, or one cannot be read.
        """
        if content is None:
            given = Given.nothing(sizes, STATED)
        elif model is None or folder is None:
            raise UserError(
                "items=image needs a vision model and a folder of pictures named by item id: items.model=NAME "
                "items.folder=DIRECTORY."
            )
        else:
            given = _given(content, Path(folder).expanduser(), directory_of(model, revision), pooling, stored)
            say_missing("picture", given.known_I, content)
        super().__init__(sizes, given, reduce=reduce, components=components, adaptor=adaptor, missing=missing, std=std)


def _given(content: Content, folder: Path, directory: Path, pooling: Pooling, stored: Stored) -> Given:
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder} with pictures.")
    at = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES}
    paths = [at.get(name) for name in content.item_ids.tolist()]
    found = [path for path in paths if path is not None]
    if not found:
        some = ", ".join(f"{name}.jpg" for name in content.item_ids[:3].tolist())
        raise UserError(f"{folder} has no picture of an item of {content.name!r}; they are to be called {some}, ...")
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in found]
    depends = {"model": digest_of(directory), "pooling": pooling, "pictures": hashes}
    vectors = kept(
        content.cache, "image", depends, len(found), stored, lambda told: _encode(found, directory, pooling, told)
    )
    known_I = np.array([path is not None for path in paths])
    vectors_IE = np.zeros((len(content), vectors.shape[1]), dtype=np.float32)
    vectors_IE[known_I] = vectors
    return Given.of(vectors_IE, known_I, content)


def _encode(paths: list[Path], directory: Path, pooling: Pooling, told: Told) -> Tensor:
    from transformers import AutoImageProcessor, AutoModel

    processor = loaded(directory, AutoImageProcessor, "an image processor")
    with torch.random.fork_rng():
        model: Any = loaded(directory, AutoModel, "a model", use_safetensors=True, dtype=torch.float32)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = getattr(model, "vision_model", model).eval().to(device)  # of a pair of text and image, this half
    parts = []
    for first in range(0, len(paths), BATCH):
        pictures = [_opened(path) for path in paths[first : first + BATCH]]
        pixels = processor(images=pictures, return_tensors="pt")["pixel_values"].to(device)
        h_NSE = model(pixel_values=pixels).last_hidden_state
        if h_NSE.ndim == 4:  # a convolutional model has a map of states
            h_NSE = h_NSE.flatten(2).transpose(1, 2)
        parts.append((h_NSE[:, 0] if pooling == "cls" else h_NSE.mean(dim=1)).cpu())
        told(first + len(pictures))
    return torch.cat(parts)


def _opened(path: Path) -> Any:
    from PIL import Image as Pillow

    try:
        with Pillow.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, Pillow.DecompressionBombError) as error:
        raise UserError(f"{path} cannot be read as a picture: {error}") from error
