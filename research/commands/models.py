"""`research models`."""

from __future__ import annotations

from typing import Annotated

import typer


def models(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Groups such as encoder; overrides such as size=base, data=ml-1m.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """List what can be chosen: parts and named models, each with a line, its paper and its number of parameters.

    Example: [bold]research models encoder fusion size=base[/bold]
    """
    from research.catalogue import Catalogue
    from research.console import announce, print_catalogue, print_json

    found = Catalogue(words or [], announce=announce)
    if as_json:
        print_json(found.plain())
    else:
        print_catalogue(found)
