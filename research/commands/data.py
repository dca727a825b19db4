"""`research data`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


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

    use_mirrors(mirror)
    config = compose([f"data={name}", *(overrides or [])])
    with download_bar() as progress:
        facts = audit_of(config, announce=announce, progress=progress)
    if as_json:
        print_json(facts)
    else:
        print_audit(facts)
