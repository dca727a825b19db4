"""`research recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from research.commands.words import Mirror, use_mirrors

if TYPE_CHECKING:
    from research.recommend.answer import Answer

LATEST = 5
"""Items of a history that are shown."""


def recommend(
    run: Annotated[Path, typer.Argument(help="Directory of a finished run: runs/STUDY/CELL/seed-N.")],
    user: Annotated[str | None, typer.Option("--user", help="A user of the data, by the source's own id.")] = None,
    history: Annotated[
        str | None, typer.Option("--history", help="Titles or ids with ; between them, the oldest first.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Words, read like the title of the latest thing that was picked.")
    ] = None,
    items: Annotated[
        Path | None, typer.Option("--items", help="File of items that the run never met; they join the catalogue.")
    ] = None,
    after: Annotated[
        str, typer.Option("--after", help="Time since the latest interaction when it is asked: 30m, 2h, 3d.")
    ] = "0s",
    top: Annotated[int, typer.Option("-k", "--top", help="How many items.")] = 10,
    seen: Annotated[bool, typer.Option("--seen", help="Items of the history may be recommended too.")] = False,
    mirror: Mirror = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Recommend items with a trained run, and say the shares of long- and of short-term interest.

    Example: [bold]research recommend runs/quickstart/CELL/seed-1 --user 42[/bold], or
    [bold]--history "Toy Story (1995); Heat (1995)"[/bold]
    """
    from research.console import print_json
    from research.errors import UserError
    from research.recommend.asked import seconds_of
    from research.recommend.recommender import Recommender

    if user is not None and history is not None:
        raise UserError("--user and --history are two histories. Give one of them.")
    if user is None and history is None and text is None:
        raise UserError("Recommend to whom? Give --user ID, --history 'TITLE; TITLE' or --text WORDS.")
    use_mirrors(mirror)
    seconds = seconds_of(after)
    recommender = Recommender(run, items)
    if user is not None:
        answer = recommender.for_user(user, text=text, top=top, seen=seen, after=seconds)
    elif history is not None:
        answer = recommender.for_history(history.split(";"), text=text, top=top, seen=seen, after=seconds)
    else:
        answer = recommender.for_text(text or "", top=top, seen=seen, after=seconds)
    if as_json:
        print_json(answer.plain())
    else:
        _show(answer)


def _show(answer: Answer) -> None:
    from rich.markup import escape
    from rich.table import Table

    from research.console import announce, out

    def say(line: str) -> None:
        out.print(line, highlight=False, markup=False, soft_wrap=True)

    say(f"Run: {answer.run}")
    if answer.user is not None:
        say(f"User {answer.user}")
    if answer.history:
        latest = [one.title or one.item for one in answer.history[-LATEST:]]
        count = len(answer.history)
        say(f"History of {count:,} item{'s' if count > 1 else ''}, the latest last: {' | '.join(latest)}")
    if answer.text is not None:
        say(f"Then: {answer.text!r}" if answer.history else f"Text: {answer.text!r}")
    each = any(row.long is not None for row in answer.rows)
    if answer.shares:
        say(f"Long-term {answer.shares.long:.0%}, short-term {answer.shares.short:.0%}")
    else:
        say("This fusion weighs every item for itself." if each else "This run states no shares.")
    table = Table(title_justify="left")
    headings = ["", "item", "title", "score", "trained on", *(["long-term"] if each else [])]
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "title" else "right", overflow="fold")
    for row in answer.rows:
        met = "new" if row.new else f"{row.trained:,}"
        share = [f"{row.long:.0%}"] if row.long is not None else []
        table.add_row(str(row.rank), escape(row.item), escape(row.title or "–"), f"{row.score:.3f}", met, *share)
    out.print(table)
    for note in answer.notes:
        announce(note)
