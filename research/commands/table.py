"""`research table`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from research.commands.words import Runs


def table(
    name: Annotated[str, typer.Argument(help="A study that has run.")],
    form: Annotated[
        Literal["terminal", "md", "latex", "csv"], typer.Option("--format", help="How the table is written.")
    ] = "terminal",
    runs: Runs = Path("runs"),
) -> None:
    """Print a study's table from its records alone.

    Example: [bold]research table quickstart --format latex[/bold]
    """
    from research.console import print_table, write_out
    from research.reports.comma import csv_table
    from research.reports.latex import latex_table
    from research.reports.markdown import markdown_table
    from research.reports.rows import read_study, rows

    if form == "terminal":
        print_table(runs / name)
        return
    records = read_study(runs / name)
    writer = {"md": markdown_table, "latex": latex_table, "csv": csv_table}[form]
    write_out(writer(rows(records), records))
