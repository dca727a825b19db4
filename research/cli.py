"""The front door. Every command is a few lines; what it does lives in the package.

Imports stand inside the commands, so that help answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    help="Does fusing long-term and short-term interest help? With which encoders, which fusion, on which data?\n\n"
    "Settings are Hydra-style words: GROUP=OPTION chooses a part (data, encoder@long, encoder@short, window, fusion, "
    "objective, loss, trainer, logger, baseline), KEY=VALUE sets a value (window.k=5, seed=3, trainer.max_epochs=20).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Mirror = Annotated[
    list[Path] | None,
    typer.Option("--mirror", help="Directory with raw files, tried before any download; may be repeated."),
]
Overrides = Annotated[list[str] | None, typer.Argument(help="GROUP=OPTION and KEY=VALUE words.", show_default=False)]
Runs = Annotated[Path, typer.Option("--runs", help="Directory of run records.")]


@app.command()
def data(
    name: Annotated[str, typer.Argument(help="Dataset, such as ml-100k; see configs/data.")],
    overrides: Overrides = None,
    mirror: Mirror = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Fetch and prepare a dataset; print its statistics and its audit.

    Example: [bold]research data ml-100k window.k=5[/bold]
    """
    from research.config import compose
    from research.console import announce, print_audit, print_json
    from research.evaluation.dataset import audit_of
    from research.progress import download_bar

    _use_mirrors(mirror)
    config = compose([f"data={name}", *(overrides or [])])
    with download_bar() as progress:
        facts = audit_of(config, announce=announce, progress=progress)
    if as_json:
        print_json(facts)
    else:
        print_audit(facts)


@app.command()
def train(
    overrides: Overrides = None,
    mirror: Mirror = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as one JSON object on stdout.")] = False,
) -> None:
    """Train and test one run; print its metrics and where its record lies. A finished run is not repeated.

    Example: [bold]research train data=ml-100k encoder@long=transformer encoder@short=gru fusion=gated window=last_k
    window.k=5 seed=1 trainer.max_epochs=5 logger=none[/bold]
    """
    from research.config import compose
    from research.console import announce, print_json, print_record
    from research.progress import training_bar
    from research.training.run import run

    _use_mirrors(mirror)
    config = compose(overrides or [])
    with training_bar() as report:
        record, directory = run(config, report=report, announce=announce)
    if as_json:
        print_json({**record, "directory": str(directory)})
    else:
        print_record(record, directory)


@app.command()
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

    _use_mirrors(mirror)
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


@app.command()
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


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="A study that has run.")],
    runs: Runs = Path("runs"),
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; else report.html beside the runs.")] = None,
) -> None:
    """Write a study's self-contained page from its records alone."""
    from research.console import announce
    from research.reports.page import write_page

    announce(f"Page: {write_page(runs / name, out)}")


def _use_mirrors(mirrors: list[Path] | None) -> None:
    """Put ``--mirror`` directories before those of the environment, for this process and its workers."""
    if mirrors:
        from research.data.prepare import mirrors_from_environment

        all_of_them = [
            *(str(m.expanduser().absolute()) for m in mirrors),
            *map(str, mirrors_from_environment()),
        ]
        os.environ["RESEARCH_MIRROR"] = os.pathsep.join(all_of_them)


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; a mistake that the user can mend is one message and exit code 2."""
    from research.errors import UserError

    try:
        return app(args=arguments)
    except UserError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        _fail("Stopped. What is finished is kept; the same command continues.", 130)
    except OSError as error:
        import errno

        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        _fail(
            f"{error.strerror}: {error.filename or 'the disk'}. What is finished is kept; the same command continues.",
            2,
        )


def _fail(message: str, code: int) -> None:
    from research.console import announce

    announce(f"error: {message}")
    sys.exit(code)
