"""The audit of a dataset under one configuration's split and window."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from research.data.audit import audit
from research.data.download import Progress
from research.data.fetch import Announce
from research.data.histories import Histories
from research.data.load import load
from research.data.split import Split
from research.schema import build
from research.windows.base import Window
from research.windows.starts import query_starts, windows_per_user


def audit_of(
    config: DictConfig, *, announce: Announce | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Fetch and prepare if need be, and audit."""
    return audit_split(config, *load(config, announce=announce, progress=progress))


def audit_split(config: DictConfig, histories: Histories, split: Split) -> dict[str, Any]:
    """Audit what is at hand; a window in minutes or days says nothing about data without times."""
    window = build(config.window, Window)
    if window.needs_times and not histories.has_times:
        return audit(histories, split)
    starts = query_starts(window, histories, split.test)
    return audit(histories, split, short_start=starts, windows=windows_per_user(window, histories))
