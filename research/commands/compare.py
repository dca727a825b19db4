"""`research compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Runs


def compare(
    first: Annotated[str, typer.Argument(help="A run's directory, study/cell/seed-1, study/cell, or an identity.")],
    second: Annotated[str, typer.Argument(help="Likewise.")],
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="Such as ndcg@20; may be repeated.", show_default=False)
    ] = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Compare two runs, or two cells with all their seeds: metrics paired by user, slices, settings, cost.

    Example: [bold]research compare quickstart/CELL quickstart/OTHER[/bold]
    """
    from research.comparison.compare import METRICS
    from research.comparison.compare import compare as compare_sides
    from research.comparison.find import find
    from research.comparison.side import read_side
    from research.console import out, print_json
    from research.metrics.ranking import parse

    for name in metric or ():
        parse(name)
    sides = [read_side(find(name, runs)) for name in (first, second)]
    found = compare_sides(sides[0], sides[1], tuple(metric or METRICS))
    if as_json:
        print_json(found.plain())
        return
    from research.comparison.show import print_comparison

    print_comparison(found, out)
