"""Pieces of the page: tables, lists, definitions. Every text is escaped here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from research.reports.drawing import Plot, to_svg
from research.reports.grid import Cell, Grid, metric_cell
from research.reports.palette import INK
from research.reports.slices import Bucket


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{escape(kind)}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def bullets(lines: Iterable[str], kind: str = "") -> str:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="{escape(kind)}">\n{items}\n</ul>' if kind else f"<ul>\n{items}\n</ul>"


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "<dl>\n" + "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs) + "\n</dl>"


def grid_table(printed: Grid, caption: str) -> str:
    """A table of arms, claims or parts of the variance; the name of either heads its row."""
    head = [(column.heading, column.numeric) for column in printed.columns]
    named = next(index for index, column in enumerate(printed.columns) if column.heading in ("Arm", "Claim", "Part"))
    body = []
    for line in printed.lines:
        kinds = ["untrained"] * (line.row is not None and line.row.kind != "model") + ["rule"] * line.rule
        cells = [
            _cell(cell, head[at][1], printed.has_spread(at), printed.has_dagger(at), heads_row=at == named)
            for at, cell in enumerate(line.cells)
        ]
        body.append(f'<tr class="{" ".join(kinds)}">{"".join(cells)}</tr>' if kinds else f"<tr>{''.join(cells)}</tr>")
    return _table(caption, head, body)


def slice_table(buckets: Sequence[Bucket], metric: str, caption: str) -> str:
    """One row an arm, one column a bucket of one group."""
    head = [("Arm", False)] + [(f"{bucket.name} ({bucket.counted})", True) for bucket in buckets]
    values = [value for bucket in buckets for row in bucket.rows for value in row.values.values()]
    spreads = any(value.std is not None for value in values)
    daggers = any(row.side(metric) for bucket in buckets for row in bucket.rows)
    body = []
    for index, row in enumerate(buckets[0].rows):
        inside = [bucket.rows[index] for bucket in buckets]
        cells = [_cell(Cell(row.label, order=row.label), False, False, False, heads_row=True)]
        cells += [_cell(metric_cell(each, metric), True, spreads, daggers, heads_row=False) for each in inside]
        kind = ' class="untrained"' if row.kind != "model" else ""
        body.append(f"<tr{kind}>{''.join(cells)}</tr>")
    return _table(caption, head, body)


def figure(plot: Plot) -> str:
    """The drawing in the page's own ink, with its caption."""
    svg = to_svg(plot).replace(INK, f"var(--ink, {INK})")
    words = f"<figcaption><strong>{escape(plot.title)}</strong> {escape(plot.caption)}</figcaption>"
    return f"<figure>\n{svg}{words}\n</figure>"


def _cell(cell: Cell, numeric: bool, room: bool, dagger: bool, *, heads_row: bool) -> str:
    """``room`` and ``dagger``: keep the width of a spread or a dagger where this cell has none, so that means align."""
    text = escape(cell.text)
    if cell.mark == "best":
        text = f"<strong>{text}</strong>"
    elif cell.mark == "second":
        text = f'<span class="second">{text}</span>'
    text += f'<span class="dagger">{escape(cell.dagger)}</span>' if dagger else ""
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
