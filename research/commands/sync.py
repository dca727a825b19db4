"""`research sync`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from research.commands.words import Runs


def sync(
    names: Annotated[
        list[str], typer.Argument(help="Studies, cells, runs: directories or names below --runs.", show_default=False)
    ],
    runs: Runs = Path("runs"),
    project: Annotated[str, typer.Option("--project", help="W&B project.")] = "interest-fusion",
    entity: Annotated[str | None, typer.Option("--entity", help="W&B user or team; else the key's own.")] = None,
    mode: Annotated[
        Literal["auto", "online", "offline"], typer.Option("--mode", help="auto: online with a key, offline without.")
    ] = "auto",
    again: Annotated[bool, typer.Option("--again", help="Also what was sent before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Send finished runs to Weights & Biases from their records alone; a study as a group with its table and figures.

    What was sent is not sent again, and a run that is sent twice is there once.

    Example: [bold]research sync quickstart[/bold]
    """
    from research.console import announce, print_json
    from research.studies.tracker import send_table
    from research.tracking.mirror import mirror, runs_of
    from research.training.lean_imports import import_lightning

    import_lightning()
    from research.training.loggers import Wandb

    tracker = Wandb(project=project, entity=entity, mode=mode)
    sent, skipped, tables = [], [], []
    for found, study in [runs_of(name, runs) for name in names]:
        before = len(sent)
        for directory in found:
            (sent if mirror(tracker, directory, again=again) else skipped).append(str(directory))
        if study and len(sent) > before:
            send_table(tracker, study)
            tables.append(str(study))
    kept = [str(path) for directory in (*sent, *tables) for path in sorted(Path(directory, "wandb").glob("offline-*"))]
    if as_json:
        said = {"sent": sent, "skipped": skipped, "tables": tables, "offline": tracker.offline, "kept": kept}
        print_json(said)
        return
    announce(f"{len(sent)} run(s) and {len(tables)} table(s) sent, {len(skipped)} already there.")
    if tracker.offline and kept:
        announce("Offline: they lie beside the records. With a key, run sync again, or: wandb sync " + " ".join(kept))
