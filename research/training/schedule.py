"""How the learning rate moves, step by step.

    warm-up      lr * (step + 1) / (warmup + 1)
    constant     lr
    linear       lr * (1 - (1 - final) x)                    x goes from 0 to 1 behind the warm-up
    cosine       lr * (final + (1 - final) (1 + cos pi x) / 2)

The rate is a function of the step alone, so a resumed run has the rates that it would have had. Early stopping may end
a run before its schedule ends; ``epochs`` makes the schedule shorter than the budget, and the last rate then stays.
Loshchilov and Hutter, ICLR 2017 (cosine); Devlin et al., NAACL 2019 (linear with warm-up, as BERT4Rec has it).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """A shape of the learning rate.

    Attributes:
        warmup_steps: steps in which the rate rises.
    """

    warmup_steps: int = 0

    def __post_init__(self) -> None:
        if self.warmup_steps < 0:
            raise UserError(f"schedule.warmup_steps={self.warmup_steps}: not negative.")

    @abstractmethod
    def behind(self, done: int, steps_of_epoch: int, max_epochs: int) -> float:
        """Factor of the rate ``done`` steps behind the warm-up."""

    def factor(self, step: int, steps_of_epoch: int, max_epochs: int) -> float:
        """Factor of the rate at a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)
        return self.behind(step - self.warmup_steps, steps_of_epoch, max_epochs)

    def __call__(self, optimizer: Optimizer, steps_of_epoch: int, max_epochs: int) -> LambdaLR:
        """Torch's scheduler, to be moved once a step."""
        return LambdaLR(optimizer, lambda step: self.factor(step, steps_of_epoch, max_epochs))


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The full rate behind the warm-up."""

    def behind(self, done: int, steps_of_epoch: int, max_epochs: int) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Decay(Schedule):
    """A rate that falls to a share of itself.

    Attributes:
        final: that share.
        epochs: when it is reached; ``None`` is ``trainer.max_epochs``.
    """

    final: float = 0.0
    epochs: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.final <= 1 or (self.epochs is not None and self.epochs < 1):
            raise UserError(
                f"schedule.final={self.final}, schedule.epochs={self.epochs}: a share of the rate in [0, 1], and at "
                "least 1 epoch or null."
            )

    def behind(self, done: int, steps_of_epoch: int, max_epochs: int) -> float:
        total = steps_of_epoch * (self.epochs or max_epochs)
        # The last step has the final rate.
        x = min(1.0, done / max(1, total - self.warmup_steps - 1))
        return self.final + (1 - self.final) * self.left(x)

    @abstractmethod
    def left(self, x: float) -> float:
        """What is left of the fall, from 1 at ``x = 0`` to 0 at ``x = 1``."""


@dataclass(frozen=True, kw_only=True)
class Linear(Decay):
    """A straight fall."""

    def left(self, x: float) -> float:
        return 1 - x


@dataclass(frozen=True, kw_only=True)
class Cosine(Decay):
    """Slow at both ends."""

    def left(self, x: float) -> float:
        return (1 + math.cos(math.pi * x)) / 2
