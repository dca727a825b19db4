"""Arguments that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

Mirror = Annotated[
    list[Path] | None,
    typer.Option("--mirror", help="Directory with raw files, tried before any download; may be repeated."),
]
Overrides = Annotated[list[str] | None, typer.Argument(help="GROUP=OPTION and KEY=VALUE words.", show_default=False)]
Runs = Annotated[Path, typer.Option("--runs", help="Directory of run records.")]


def use_mirrors(mirrors: list[Path] | None) -> None:
    """Put ``--mirror`` directories before those of the environment, for this process and its workers."""
    if mirrors:
        from research.data.prepare import mirrors_from_environment

        all_of_them = [
            *(str(m.expanduser().absolute()) for m in mirrors),
            *map(str, mirrors_from_environment()),
        ]
        os.environ["RESEARCH_MIRROR"] = os.pathsep.join(all_of_them)
