"""The study's table in Markdown (GitHub's), padded so that the source reads as a table too."""

from __future__ import annotations

import re
from collections.abc import Sequence

from research.reports.answer import headline_metric
from research.reports.claimed import claims_grid, claims_notes, judged_claims
from research.reports.explained import HEADING, explained, explained_grid, explained_notes
from research.reports.grid import Cell, Grid, grid
from research.reports.notes import notes
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.tunings import chosen_grid

WRAP = {"best": "**", "second": "_"}


def markdown_table(rows: Sequence[Row], records: StudyRecords) -> str:
    """Heading, table, footer as a list. Markdown has no underline, so the second best is italic."""
    title = escape(f"{records.name}: {records.question}".rstrip(": "))
    foot = [f"- {escape(line)}" for line in notes(records, rows, second="italic")]
    lines = [f"**{title}**", "", *table_lines(grid(rows)), "", *foot, ""]
    if chosen := chosen_grid(rows, records):
        lines += ["**What the tuning chose**", "", *table_lines(chosen), ""]
    if parts := explained(records, rows):
        printed = explained_grid(parts)
        foot = [f"- {escape(line)}" for line in explained_notes(parts, headline_metric(records.metrics))]
        lines += [f"**{HEADING}**", "", *([*table_lines(printed), ""] if printed else []), *foot, ""]
    claims = judged_claims(records, rows)
    if printed := claims_grid(claims):
        foot = [f"- {escape(line)}" for line in claims_notes(records, claims)]
        lines += ["**Claims**", "", *table_lines(printed), "", *foot, ""]
    return "\n".join(lines)


def table_lines(printed: Grid) -> list[str]:
    """A grid as the lines of a table."""
    head = [escape(column.heading) for column in printed.columns]
    body = [[_cell(cell) for cell in line.cells] for line in printed.lines]
    widths = [max(3, *(len(line[index]) for line in [head, *body])) for index in range(len(head))]

    def join(line: Sequence[str]) -> str:
        padded = [
            text.rjust(width) if column.numeric else text.ljust(width)
            for text, width, column in zip(line, widths, printed.columns, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    dashes = [
        "-" * (width - 1) + (":" if column.numeric else "-")
        for width, column in zip(widths, printed.columns, strict=True)
    ]
    return [join(head), join(dashes), *map(join, body)]


def escape(text: str) -> str:
    """Plain text for a Markdown cell or line: no markup, no HTML, no cell ends, one line."""
    text = re.sub(r"([\\`*\[\]|~#]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cell(cell: Cell) -> str:
    wrap = WRAP.get(cell.mark or "", "")
    return f"{wrap}{escape(cell.text)}{wrap}{cell.dagger} {cell.spread}".rstrip()
