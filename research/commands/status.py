"""`research status`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Runs


def status(
    name: Annotated[str | None, typer.Argument(help="A study that was begun; none: all.", show_default=False)] = None,
    runs: Runs = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Show how far studies are: done, running, failed and why, missing; from their files alone.

    Example: [bold]research status quickstart[/bold]
    """
    from rich.table import Table

    from research.console import out, print_json
    from research.studies.status import statuses

    found = statuses(runs, name)
    if as_json:
        print_json({"studies": [one.plain() for one in found]})
        return
    table = Table(title=f"Studies in {runs}", title_justify="left")
    table.add_column("study", overflow="fold")
    for heading in ("asked", "done", "running?", "stopped", "failed", "missing", "untuned", "others"):
        table.add_column(heading, justify="right")
    for one in found:
        lists = (one.done, one.running, one.stopped, one.failed, one.missing, one.waiting, one.others)
        table.add_row(one.name, "?" if one.asked is None else str(one.asked), *(str(len(each)) for each in lists))
    out.print(table)
    for one in found:
        lines = [f"running? {run.label}, seed {run.seed}: last sign {_ago(run.silent)} ago" for run in one.running]
        lines += [f"stopped {run.label}, seed {run.seed}: last sign {_ago(run.silent)} ago" for run in one.stopped]
        lines += [f"failed {run.label}, seed {run.seed}: {run.reason}" for run in one.failed]
        lines += [f"missing {run.label}, seed {run.seed}" for run in one.missing]
        if one.asked is None and one.name != "single":
            lines.append(f"no plan.json: `research study {one.name} --plan` writes what the study asks for")
        for line in lines:
            out.print(f"{one.name}: {line}", highlight=False, markup=False, soft_wrap=True)


def _ago(seconds: float | None) -> str:
    seconds = seconds or 0.0
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
