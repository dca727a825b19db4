"""The list of datasets as a table: for a terminal of 120 columns, and in Markdown for ``docs/data.md``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from research.data.about import UNKNOWN
from research.data.listing import Entry

if TYPE_CHECKING:
    from rich.table import Table

_HEADINGS = ("users", "items", "interactions", "download", "licence", "state", "cite")


def size(count: int | None) -> str:
    """Bytes as ``4.9 MB``, ``1.3 GB``; decimal units, as publishers use them."""
    if count is None:
        return UNKNOWN
    amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 999.5 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    fraction = units[0] != "B" and amount < 9.95
    return f"{amount:.1f} {units[0]}" if fraction else f"{amount:.0f} {units[0]}"


def number(count: int | None) -> str:
    """A published count."""
    return UNKNOWN if count is None else f"{count:,}"


def rich_table(entries: Sequence[Entry]) -> Table:
    """For the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{len(entries)} datasets", title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("data=", style="bold", no_wrap=True)
    for heading in _HEADINGS:
        counted = heading in ("users", "items", "interactions", "download")
        table.add_column(heading, justify="right" if counted else "left", no_wrap=counted or heading == "state")
    for one in entries:
        facts = one.about
        counts = [_blank(text, one) for text in map(number, (facts.users, facts.items, facts.interactions))]
        cells = [*counts, _blank(size(facts.download_bytes), one), facts.licence, one.state, one.cite_first]
        table.add_row(one.name, *map(escape, cells))
    return table


def markdown(entries: Sequence[Entry]) -> str:
    """For the documentation; without the state, which is another on every machine."""
    heading = ("name", "users", "items", "interactions", "times", "download", "from", "licence", "cite")
    lines = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
    for one in entries:
        facts = one.about
        users = _blank(number(facts.users), one)
        users += f" {facts.users_are}" if facts.users and facts.users_are != "users" else ""
        counts = [users, *(_blank(number(count), one) for count in (facts.items, facts.interactions))]
        cells = (f"`{one.name}`", *counts, facts.times, _blank(size(facts.download_bytes), one), one.places)
        lines.append(f"| {' | '.join((*cells, facts.licence, one.cite))} |")
    return "\n".join(lines) + "\n"


def _blank(text: str, entry: Entry) -> str:
    """What has no files has nothing that could be unknown."""
    return "" if text == UNKNOWN and not entry.places else text
