"""The process while a run trains: threads, allocator, garbage, determinism, quiet libraries; put back afterwards."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from research.training.memory import keep_freed_memory
from research.training.settings import TrainerSettings


@contextmanager
def prepared_machine(settings: TrainerSettings) -> Iterator[None]:
    """Set what a run needs and restore it; only the allocator's habit stays."""
    keep_freed_memory()
    threads = torch.get_num_threads()
    filling = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if settings.threads:
        torch.set_num_threads(settings.threads)
    # Filling fresh memory guards against reading it before writing; deterministic mode would pay for it everywhere.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Half a million objects of imported libraries outlive the run; looking through them again and again for garbage
    # takes a tenth of a second each time.
    gc.freeze()
    try:
        with _quiet():
            yield
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
        torch.utils.deterministic.fill_uninitialized_memory = filling  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's advertising and advice is not for our users; errors still pass."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        warnings.filterwarnings("ignore", message=".*isinstance.treespec.*")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
