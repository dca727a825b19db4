"""`research ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ablate(
    words: Annotated[
        list[str], typer.Argument(help="The model: GROUP=OPTION and KEY=VALUE words, or the name of a model.")
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="The file; ablate-MODEL.yaml unless told.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds each arm gets.")] = 3,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write the study that leaves out one part of a model at a time, or puts a control in its place.

    Example: [bold]research ablate model=slirec data=ml-100k[/bold]
    """
    from research.ablation.write import write_ablation
    from research.console import announce

    path, found = write_ablation(words, to, seeds=seeds, force=force)
    announce(f"{path}: the whole model and {len(found.own) - 1} arms without one of its parts, {seeds} seeds each.")
    for each in found.left_out:
        announce(f"Left out: {each.name}: {each.reason}")
    announce(f"See it: research study {path} --plan")
    announce(f"Run it: research study {path}")
