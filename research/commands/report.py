"""`research report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Runs


def report(
    name: Annotated[str, typer.Argument(help="A study that has run.")],
    runs: Runs = Path("runs"),
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; else report.html beside the runs.")] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="A directory for each figure as SVG and PDF, for papers.")
    ] = None,
) -> None:
    """Write a study's self-contained page from its records alone."""
    from research.console import announce
    from research.reports.page import write_page

    announce(f"Page: {write_page(runs / name, out)}")
    if figures is not None:
        from research.reports.figure_files import write_figures

        announce(f"Figures: {len(write_figures(runs / name, figures))} files in {figures}")
