"""Pieces of the page: tables, lists, definitions. Every text is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from research.reports.digits import score, spread
from research.reports.drawing import Plot, to_svg
from research.reports.grid import Cell, Grid
from research.reports.palette import INK
from research.reports.row import Row, Value
from research.reports.slices import Bucket


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{escape(kind)}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def bullets(lines: Iterable[str], kind: str = "") -> str:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{escape(kind)}">\n{items}\n</ul>' if kind else f"<ul>\n{items}\n</ul>"


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>\n" + "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs) + "\n</dl>"


def grid_table(printed: Grid, caption: str) -> str:
    """The study's table; the arm's name heads its row."""
    head = [(column.heading, column.numeric) for column in printed.columns]
    named = next(index for index, column in enumerate(printed.columns) if column.heading == "Arm")
    body = []
    for line in printed.lines:
        kinds = ["untrained"] * (line.row.kind != "model") + ["rule"] * line.rule
        cells = [
            _cell(cell, head[at][1], printed.has_spread(at), heads_row=at == named)
            for at, cell in enumerate(line.cells)
        ]
        body.append(f'<tr class="{" ".join(kinds)}">{"".join(cells)}</tr>' if kinds else f"<tr>{''.join(cells)}</tr>")
    return _table(caption, head, body)


def slice_table(buckets: Sequence[Bucket], metric: str, caption: str) -> str:
    """One row an arm, one column a bucket of one group."""
    head = [("Arm", False)] + [(f"{bucket.name} ({bucket.users:,} users)", True) for bucket in buckets]
    body = []
    for index, row in enumerate(buckets[0].rows):
        inside = [bucket.rows[index] for bucket in buckets]
        spreads = any(value.std is not None for each in buckets for row_ in each.rows for value in row_.values.values())
        cells = [_cell(Cell(row.label, order=row.label), False, False, heads_row=True)]
        cells += [_cell(_value(each, metric), True, spreads, heads_row=False) for each in inside]
        kind = ' class="untrained"' if row.kind != "model" else ""
        body.append(f"<tr{kind}>{''.join(cells)}</tr>")
    return _table(caption, head, body)


def figure(plot: Plot) -> str:
    """The drawing in the page's own ink, with its caption."""
    svg = to_svg(plot).replace(INK, f"var(--ink, {INK})")
    words = f"<figcaption><strong>{escape(plot.title)}</strong> {escape(plot.caption)}</figcaption>"
    return f"<figure>\n{svg}{words}\n</figure>"


def _value(row: Row, metric: str) -> Cell:
    value: Value | None = row.values.get(metric)
    if value is None:
        return Cell(score(None))
    return Cell(score(value.mean), spread(value), row.marks.get(metric), value.mean)


def _cell(cell: Cell, numeric: bool, room: bool, *, heads_row: bool) -> str:
    """``room``: keep the width of a spread where this cell has none, so that means stand in one column."""
    text = escape(cell.text)
    if cell.mark == "best":
        text = f"<strong>{text}</strong>"
    elif cell.mark == "second":
        text = f'<span class="second">{text}</span>'
    text += f' <span class="spread">{escape(cell.spread)}</span>' if room else ""
    order = "" if cell.order is None or cell.order != cell.order else escape(str(cell.order))
    kind = "" if numeric else ' class="text"'
    tag, scope = ("th", ' scope="row"') if heads_row else ("td", "")
    return f'<{tag}{scope}{kind} data-order="{order}">{text}</{tag}>'


def _table(caption: str, head: Sequence[tuple[str, bool]], body: Sequence[str]) -> str:
    headings = "".join(
        f'<th scope="col" data-kind="number">{escape(text)}</th>'
        if numeric
        else f'<th scope="col" class="text" data-kind="text">{escape(text)}</th>'
        for text, numeric in head
    )
    name = escape(caption)
    return "\n".join(
        [
            f'<div class="wide" role="region" tabindex="0" aria-label="{name}">',
            '<table class="sortable">',
            f"<caption>{name}</caption>",
            f"<thead><tr>{headings}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody>",
            "</table>",
            "</div>",
        ]
    )
