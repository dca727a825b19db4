"""`research study`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


def study(
    name: Annotated[str, typer.Argument(help="A study of configs/study, or the path of a study file.")],
    overrides: Overrides = None,
    mirror: Mirror = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Runs at one time.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print the runs and which are done.")] = False,
) -> None:
    """Run or continue a study, then print its table and write its page.

    Finished runs are never repeated; stop it at any time and start it again.

    Example: [bold]research study quickstart[/bold]
    """
    from research.console import announce, print_plan, print_table
    from research.progress import study_progress
    from research.reports.page import write_page
    from research.studies.run_study import prepare_study, run_missing
    from research.studies.study import read_study_file
    from research.studies.tracker import mirror_table

    use_mirrors(mirror)
    asked = read_study_file(name)
    standing = prepare_study(asked, overrides or [], announce=announce)
    if plan:
        print_plan(standing)
        return
    with study_progress(standing) as tell:
        failed = run_missing(asked, standing, workers=workers, tell=tell)
    print_table(standing.directory)
    announce(f"Page: {write_page(standing.directory)}")
    mirror_table(standing)
    if failed:
        announce(f"{failed} run(s) failed; the reasons stand below the table. Start the study again to retry them.")
        raise typer.Exit(1)
