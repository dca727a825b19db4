"""An augmentation changes the histories that are trained on, anew in every epoch; tests never see it.

Some change the history itself, so what is supervised changes with it (crop, reorder). Others change only what is read
(mask, insert): the right items stay right. Each has a random stream of its own, named after it, so switching one on
does not change what another draws.

Shape legend: B rows, T positions, S training spans.
"""

from __future__ import annotations

import zlib

import numpy as np
from torch import Tensor

from research.data.batch import Batch, Positions
from research.errors import UserError
from research.objectives.base import Objective, Supervised


class Augmentation:
    """Constructed as ``Augmentation(sizes, least, *, ...)``: the run's sizes and the items that a history needs to
    teach anything; keyword arguments are its configuration."""

    def history(self, batch: Batch, random: np.random.Generator) -> Batch:
        """Change the training spans, before anything is supervised; by default nothing."""
        return batch

    def read(self, supervised: Supervised, random: np.random.Generator) -> Supervised:
        """Change what the model reads, with the right items left as they are; by default nothing."""
        return supervised

    def lengths(self, length_S: np.ndarray) -> list[tuple[float, np.ndarray]]:
        """What becomes of spans with these lengths: probabilities, and the lengths that each leaves."""
        return [(1.0, length_S)]


class Augmented(Objective):
    """An objective over augmented histories."""

    def __init__(self, objective: Objective, augmentations: dict[str, Augmentation]) -> None:
        """Wrap ``objective``; augmentations are applied in the order of their names, whatever order they came in."""
        self.objective = objective
        self.augmentations = dict(sorted(augmentations.items()))
        self.causal, self.span = objective.causal, objective.span  # type: ignore[misc]
        self.query_room = objective.query_room  # type: ignore[misc]

    def supervise(self, batch: Batch, random: np.random.Generator) -> Supervised:
        streams = {name: named(random, name) for name in self.augmentations}
        for name, augmentation in self.augmentations.items():
            batch = augmentation.history(batch, streams[name])
        supervised = self.objective.supervise(batch, random)
        for name, augmentation in self.augmentations.items():
            supervised = augmentation.read(supervised, streams[name])
        return supervised

    def query(self, batch: Batch, now_B: Tensor) -> tuple[Batch, Positions]:
        return self.objective.query(batch, now_B)

    def expected(self, length_S: np.ndarray) -> np.ndarray:
        outcomes = [(1.0, length_S)]
        for augmentation in self.augmentations.values():
            outcomes = [(p * q, after_S) for p, before_S in outcomes for q, after_S in augmentation.lengths(before_S)]
        return sum((p * self.objective.expected(after_S) for p, after_S in outcomes), np.zeros(len(length_S)))


def named(random: np.random.Generator, name: str) -> np.random.Generator:
    """The stream called ``name`` below the stream of ``random``, which itself is not moved."""
    parent = random.bit_generator.seed_seq
    assert isinstance(parent, np.random.SeedSequence)
    key = (*parent.spawn_key, zlib.crc32(name.encode()))
    return np.random.default_rng(np.random.SeedSequence(parent.entropy, spawn_key=key))


def share(name: str, **values: float) -> None:
    """Check that settings are shares.

    Raises:
        UserError: one is not in (0, 1].
    """
    for key, value in values.items():
        if not 0 < value <= 1:
            raise UserError(f"augmentation.{name}.{key}={value}: above 0 and at most 1.")
