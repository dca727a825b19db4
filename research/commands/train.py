"""`research train`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


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
    from research.training.lean_imports import import_lightning

    import_lightning()
    from research.training.run import run

    use_mirrors(mirror)
    config = compose(overrides or [])
    with training_bar() as report:
        record, directory = run(config, report=report, announce=announce)
    if as_json:
        print_json({**record, "directory": str(directory)})
    else:
        print_record(record, directory)
