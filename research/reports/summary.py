"""Numbers of several seeds -> mean and sample standard deviation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Value:
    """One quantity of a row.

    Attributes:
        mean: mean over seeds.
        std: sample standard deviation over seeds (divisor n - 1); None for fewer than two.
        per_seed: the values themselves, in the order of the row's seeds.
    """

    mean: float
    std: float | None
    per_seed: tuple[float, ...]


def summarise(per_seed: Sequence[float]) -> Value:
    """Mean and std of at least one number."""
    std = float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else None
    return Value(float(np.mean(per_seed)), std, tuple(per_seed))


def mean_of(values: Sequence[float | None]) -> float | None:
    """Mean of the values that are known, None when none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
