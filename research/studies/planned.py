"""``plan.json``: which runs a study asks for, so that its records alone can tell what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from research.data.atomic import write_whole
from research.errors import UserError
from research.studies.plan import Planned
from research.training.names import cell

NAME = "plan.json"


def write_plan(directory: Path, runs: Iterable[Planned]) -> None:
    """Note every run: its label, its seed, and its cell, which is ``null`` until the arm is tuned."""
    said = [
        {"label": run.label, "seed": run.config.seed, "cell": cell(run.config) if run.ready else None} for run in runs
    ]
    write_whole(directory / NAME, (json.dumps(said, indent=1) + "\n").encode())


def read_plan(directory: Path) -> list[dict[str, Any]] | None:
    """The runs that a study asks for; ``None`` where an older version left no plan.

    Raises:
        UserError: the file is damaged.
    """
    path = directory / NAME
    if not path.is_file():
        return None
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        return [{key: run[key] for key in ("label", "seed", "cell")} for run in plan]
    except (ValueError, KeyError, TypeError) as error:
        mend = f"`research study {directory.name} --plan` writes it again."
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}). {mend}") from error
