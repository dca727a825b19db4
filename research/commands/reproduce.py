"""`research reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


def reproduce(
    name: Annotated[str | None, typer.Argument(help="A file of configs/paper, or its path; none lists all.")] = None,
    overrides: Overrides = None,
    mirror: Mirror = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Runs at one time.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print the runs and which are done.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Run nothing: compare the records below this directory.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the comparison as Markdown to this file.")] = None,
) -> None:
    """Run what a published table says and print published beside ours. Finished runs are never repeated.

    Example: [bold]research reproduce ml-1m-sasrec-ce --plan[/bold]
    """
    from research.config import options
    from research.console import announce, print_plan
    from research.console import out as console
    from research.papers.compared import compared
    from research.papers.paper import read_paper
    from research.papers.printed import COMPARED, LISTED, compared_cells, foot, listed, terminal, write_markdown

    use_mirrors(mirror)
    papers = [read_paper(name)] if name else [read_paper(each) for each in options("paper")]
    runs, failed = report or Path("runs"), 0
    if name and report is None:
        from research.papers.as_study import as_study, check_files
        from research.progress import study_progress
        from research.studies.choice import Choice
        from research.studies.executors.chosen import chosen_executor, split_words
        from research.studies.run_study import prepare_study, run_missing

        own, said = split_words(overrides or [])
        executor, choice = chosen_executor(own, workers), Choice(retry_failed=True)
        check_files(papers[0], said)
        study = as_study(papers[0])
        standing = prepare_study(study, said, announce=announce)
        if plan:
            print_plan(standing, choice, executor)
            return
        with study_progress(standing, choice) as tell:
            failed = run_missing(study, standing, executor=executor, tell=tell, choice=choice)
        runs = standing.directory.parent
    lines = [line for paper in papers for line in compared(paper, runs)]
    if name:
        cells = compared_cells(lines, papers[0].metrics)
        console.print(terminal(papers[0].question, COMPARED, cells, foot(papers[0], lines)))
    else:
        console.print(terminal(f"Published tables; ours in {runs}", LISTED, listed(lines)))
    if out is not None:
        write_markdown(out, papers, lines)
        announce(f"Table: {out}")
    if failed:
        announce(f"{failed} run(s) failed. The same command tries them again.")
        raise typer.Exit(1)
