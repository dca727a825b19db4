"""The study's table for a terminal, as a ``rich`` table."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

from research.reports.answer import headline_metric
from research.reports.claimed import claims_grid, claims_notes, judged_claims
from research.reports.explained import HEADING, explained, explained_grid, explained_notes
from research.reports.grid import Cell, Column, Grid, grid
from research.reports.notes import notes
from research.reports.records import StudyRecords
from research.reports.row import Row

STYLES = {"best": "bold", "second": "underline"}
NARROWEST_ARM = 16
"""Columns of text an arm's name may be folded to before other columns are left out."""


def terminal_table(rows: Sequence[Row], records: StudyRecords, width: int | None = None) -> Group:
    """The table with its footer as caption, below it what explains the variance, and the verdicts on the claims.

    Args:
        width: columns of the terminal; where they do not suffice, parameters, time and epochs are left out
            and the footer says so. None leaves nothing out.
    """
    claims = judged_claims(records, rows)
    tables = [_table(grid(rows), f"{records.name}: {records.question}".rstrip(": "), notes(records, rows), width)]
    parts = explained(records, rows)
    if printed := explained_grid(parts):
        tables.append(_table(printed, HEADING, explained_notes(parts, headline_metric(records.metrics)), width))
    if printed := claims_grid(claims):
        tables.append(_table(printed, "Claims", claims_notes(records, claims), width))
    return Group(*tables)


def _table(printed: Grid, title: str, foot: list[str], width: int | None) -> Table:
    kept = _kept(printed, width)
    left_out = [column.heading for index, column in enumerate(printed.columns) if index not in kept]
    if left_out:
        foot = [*foot, f"Left out at this width: {', '.join(left_out)}."]
    table = Table(
        title=Text(title),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
        title_style="bold",
        caption=Text("\n".join(foot)),
        caption_justify="left",
        caption_style="dim",
    )
    for index in kept:
        column = printed.columns[index]
        table.add_column(
            Text(_heading(column)),
            # Flush left where some cells have a spread and some not: the means stand in one column.
            justify="right" if column.numeric and not printed.has_spread(index) else "left",
            no_wrap=column.numeric,
            overflow="fold",
        )
    for number, line in enumerate(printed.lines):
        if line.rule and number:
            table.add_section()
        table.add_row(*(_text(line.cells[index]) for index in kept))
    return table


def _heading(column: Column) -> str:
    """One word a line: the numbers decide how wide a column is."""
    return column.heading.replace(" ", "\n") if column.numeric else column.heading


def _text(cell: Cell) -> Text:
    text = Text(cell.text, style=STYLES.get(cell.mark or "", ""))
    text.append(cell.dagger, style="not bold not underline")
    return text.append(f" {cell.spread}", style="not bold not underline") if cell.spread else text


def _kept(printed: Grid, width: int | None) -> list[int]:
    """Indices of the columns that fit: from the right, secondary columns go first."""
    kept = list(range(len(printed.columns)))
    for index in reversed(kept.copy()):
        if width is not None and _width(printed, kept) > width and printed.columns[index].secondary:
            kept.remove(index)
    return kept


def _width(printed: Grid, kept: Sequence[int]) -> int:
    def needed(index: int) -> int:
        column = printed.columns[index]
        cells = [line.cells[index].whole for line in printed.lines]
        longest = max(cell_len(text) for text in [*_heading(column).split("\n"), *cells])
        return longest if column.numeric else min(longest, NARROWEST_ARM)

    return sum(needed(index) + 2 for index in kept) + 2
