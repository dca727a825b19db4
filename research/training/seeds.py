"""Random streams by name, not by order of calls.

Every source of chance (weights, batch order, masks, dropout of an epoch) has a seed derived from the run's seed and
its own name. So nothing depends on what was drawn before it, and a run that resumes at an epoch draws what it would
have drawn.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream called ``names`` of the run ``seed``."""
    text = "/".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for that stream."""
    return np.random.default_rng(derive(seed, *names))
