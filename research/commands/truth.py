"""`research truth`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def truth(
    runs: Annotated[list[Path], typer.Argument(help="Directories of runs on simulated data.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Compare a fusion's branch weights with those that simulated data were drawn with.

    Example: [bold]research train data=simulated data.half_life_hours=24 fusion=gated[/bold], then
    [bold]research truth DIRECTORY[/bold] with the directory that it prints.
    """
    from rich.table import Table

    from research.console import out, print_json
    from research.evaluation.truth import agreement_of_run

    found = {str(directory): agreement_of_run(directory) for directory in runs}
    if as_json:
        print_json({directory: one.plain() for directory, one in found.items()})
        return
    table = Table(title="Weight of the short branch against the true share", title_justify="left")
    for heading in ("run", "queries", "Pearson", "Spearman", "distance", "weight", "truth"):
        table.add_column(heading, justify="left" if heading == "run" else "right", overflow="fold")
    for directory, one in found.items():
        related = ["all weights equal" if r is None else f"{r:+.3f}" for r in (one.pearson, one.spearman)]
        means = [f"{value:.3f}" for value in (one.distance, one.weight, one.truth)]
        table.add_row("/".join(Path(directory).parts[-2:]), f"{one.queries:,}", *related, *means)
    out.print(table)
