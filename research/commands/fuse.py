"""`research fuse`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Mirror, Runs, use_mirrors


def fuse(
    members: Annotated[list[Path], typer.Argument(help="Directories of finished runs: runs/STUDY/CELL/seed-N.")],
    by: Annotated[str, typer.Option("--by", help="weighted, ranks, or learned (on validation items).")] = "weighted",
    weights: Annotated[str | None, typer.Option("--weights", help="Such as 0.7,0.3; equal ones otherwise.")] = None,
    runs: Runs = Path("runs"),
    mirror: Mirror = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as one JSON object.")] = False,
) -> None:
    """Fuse the scores of trained runs; seeds of one arm make an ensemble. Ranks are stored like a run's.

    Example: [bold]research fuse runs/quickstart/CELL/seed-1 runs/quickstart/OTHER/seed-1 --by learned[/bold]
    """
    from rich.table import Table

    from research.console import announce, out, print_json
    from research.ensembles.fuse import fuse as fuse_runs
    from research.ensembles.fuse import write
    from research.ensembles.trained import TrainedRun
    from research.errors import UserError

    use_mirrors(mirror)
    try:
        given = [float(word) for word in weights.split(",")] if weights else None
    except ValueError as error:
        raise UserError(f"--weights {weights}: numbers with commas between them, such as 0.7,0.3.") from error
    ensemble = fuse_runs(members, by, given)
    directory = write(ensemble, runs)
    if as_json:
        print_json({**ensemble.record, "directory": str(directory)})
        return
    metrics = ("recall@10", "ndcg@10", "mrr@10")
    table = Table(title=f"Fused by {by}", title_justify="left")
    for heading in ("run", "weight", *metrics):
        table.add_column(heading, justify="left" if heading == "run" else "right", overflow="fold")
    shares = [f"{share:.3f}" for share in ensemble.weights] if ensemble.weights else ["–"] * len(members)
    for member, share in zip(members, shares, strict=True):
        run = TrainedRun(member)
        table.add_row(run.name, share, *(f"{run.record['test'][name]:.4f}" for name in metrics))
    table.add_row("fused", "", *(f"{ensemble.record['test'][name]:.4f}" for name in metrics), style="bold")
    out.print(table)
    announce(f"Record: {directory}")
