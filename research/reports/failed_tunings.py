"""Tunings that chose nothing: they have no run and stand in the study's ``tuning`` directory alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from research.errors import UserError

BUDGET = ("trials", "sampler", "seed", "prune", "metric")


def failed_tunings(directory: Path, asked: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Results of tunings that chose nothing, of the budget that the study asks for; older ones do not count.

    Raises:
        UserError: a file that cannot be read.
    """
    found = []
    for path in sorted((directory / "tuning").glob("*.json")) if asked else []:
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(f"{path} is not readable JSON ({error}). Delete it and continue the study.") from error
        assert asked is not None
        spaces = [asked.get("space"), *(asked.get("baselines") or {}).values()]
        current = all(result.get(key) == asked.get(key) for key in BUDGET) and result.get("space") in spaces
        if current and result.get("status") == "failed":
            found.append(result)
    return found
