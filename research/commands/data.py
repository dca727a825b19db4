"""`research data`."""

from __future__ import annotations

from typing import Annotated

import typer

from research.commands.words import Mirror, Overrides, use_mirrors


def data(
    name: Annotated[
        str | None, typer.Argument(help="Dataset, such as ml-100k; none: all are listed.", show_default=False)
    ] = None,
    overrides: Overrides = None,
    mirror: Mirror = None,
    cite: Annotated[str | None, typer.Option("--cite", help="Print what to cite for this dataset, as BibTeX.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The list as a Markdown table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """List all datasets; or fetch and prepare one and print its statistics and its audit.

    Example: [bold]research data[/bold], then [bold]research data ml-100k window.k=5[/bold]
    """
    use_mirrors(mirror)
    if cite is not None:
        _cite(cite)
    elif name is None:
        _list(markdown=markdown, as_json=as_json)
    else:
        _audit(name, overrides or [], as_json=as_json)


def _list(*, markdown: bool, as_json: bool) -> None:
    from research.console import announce, out, print_json, write_out
    from research.data.listing import listing
    from research.data.listing_table import markdown as as_markdown
    from research.data.listing_table import rich_table
    from research.data.prepare import default_cache, mirrors_from_environment

    entries = listing(default_cache(), mirrors_from_environment())
    if as_json:
        print_json({"datasets": [one.plain() for one in entries]})
    elif markdown:
        write_out(as_markdown(entries))
    else:
        if not out.is_terminal:  # a pipe has no width of its own
            out.width = max(out.width, 120)
        out.print(rich_table(entries))
        announce(
            "state: prepared or cached by us; mirror: in a directory of yours; download: fetched at first use; "
            "by hand: its publisher wants a person. Counts and sizes are the published ones.\n"
            "research data NAME prepares one, research data --cite NAME prints what to cite."
        )


def _cite(name: str) -> None:
    from research.console import write_out
    from research.data.listing import source_of
    from research.errors import UserError

    works = source_of(name).about.cite
    if not works:
        raise UserError(f"Nobody states what to cite for {name}.")
    write_out("\n\n".join(work.bibtex for work in works))


def _audit(name: str, overrides: list[str], *, as_json: bool) -> None:
    from research.config import compose
    from research.console import announce, out, print_audit, print_json
    from research.data.source import Source
    from research.evaluation.dataset import audit_of
    from research.progress import download_bar
    from research.schema import build

    config = compose([f"data={name}", *overrides])
    with download_bar() as progress:
        facts = audit_of(config, announce=announce, progress=progress)
    about = build(config.data, Source).about
    if as_json:
        works = [{"short": work.short, "text": work.text} for work in about.cite]
        print_json(facts | {"licence": about.licence, "cite": works})
        return
    print_audit(facts)
    out.print(f"Licence: {about.licence}.", highlight=False, markup=False)
    for work in about.cite:
        out.print(f"Cite: {work.text}", highlight=False, markup=False, soft_wrap=True)
