"""`research study`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


def study(
    name: Annotated[str, typer.Argument(help="A study of configs/study, or the path of a study file.")],
    overrides: Overrides = None,
    mirror: Mirror = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Runs at one time on this machine.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print the arms, what is done, and what is ahead in time and disk.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Do the I-th of N shares, such as 1/3."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Do these arms: a name, or AXIS=VALUE[,AXIS=VALUE]; may be repeated to add more."),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Also do again what failed.")] = False,
) -> None:
    """Run what is missing of a study, then print its table and write its page.

    Finished runs are never repeated; stop it at any time and start it again. Runs that failed are left as they are.

    Example: [bold]research study quickstart[/bold]
    """
    from research.console import announce, print_plan, print_table
    from research.progress import study_progress
    from research.reports.page import write_page
    from research.reports.records import read_study
    from research.studies.choice import read_choice
    from research.studies.executors.chosen import chosen_executor, split_words
    from research.studies.run_study import prepare_study, run_missing
    from research.studies.study import read_study_file
    from research.studies.tracker import mirror_table

    use_mirrors(mirror)
    asked = read_study_file(name)
    own, said = split_words(overrides or [])
    executor = chosen_executor(own, workers)
    standing = prepare_study(asked, said, announce=announce)
    choice = read_choice(asked, standing.runs, shard=shard, only=only or [], retry_failed=retry_failed)
    if plan:
        print_plan(standing, choice, executor)
        return
    left = standing.left(choice)
    with study_progress(standing, choice) as tell:
        failed = run_missing(asked, standing, executor=executor, tell=tell, choice=choice)
    if read_study(standing.directory).has_table:
        print_table(standing.directory)
        announce(f"Page: {write_page(standing.directory)}")
        mirror_table(standing)
    else:
        announce("There is no table yet: no model run has finished.")
    if failed:
        announce(f"{failed} run(s) failed; the reasons stand below the table. --retry-failed does them again.")
    if left:
        announce(f"{left} failed run(s) are left as they are; --retry-failed does them again.")
    if failed or left:
        raise typer.Exit(1)
