"""How a run is executed and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from research.errors import UserError


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """The budget of a run and the machine's part in it.

    Attributes:
        max_epochs: passes over the training data at most.
        patience: validations without a better NDCG@10 before training stops.
        validate_every: epochs between validations.
        devices: processes or GPUs.
        accelerator: as Lightning names them.
        strategy: ``auto`` or ``ddp``.
        precision: of the body, as Lightning names it; losses and ranks are float32 or better.
        deterministic: ``true`` makes torch refuse operations without a deterministic form, ``warn`` names them.
        threads: CPU threads of one process, ``None`` leaves torch's choice. Another number may change last bits.
    """

    max_epochs: int = 100
    patience: int = 10
    validate_every: int = 1
    devices: int = 1
    accelerator: Literal["auto", "cpu", "gpu", "mps", "tpu"] = "auto"
    strategy: Literal["auto", "ddp"] = "auto"
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    deterministic: bool | Literal["warn"] = "warn"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_epochs", "patience", "validate_every", "devices"):
            if getattr(self, name) < 1:
                raise UserError(f"trainer.{name}={getattr(self, name)}: at least 1.")
        if self.threads is not None and self.threads < 1:
            raise UserError(f"trainer.threads={self.threads}: at least 1, or null.")


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where things lie; cannot change a number.

    Attributes:
        runs: the directory of run records.
        cache: prepared data; ``None`` is RESEARCH_CACHE or ``~/.cache/research``.
        mirrors: directories with raw files; ``None`` is RESEARCH_MIRROR.
    """

    runs: str = "runs"
    cache: str | None = None
    mirrors: list[str] | None = None
