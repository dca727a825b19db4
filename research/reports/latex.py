"""The study's tables in LaTeX: ``booktabs`` (the only package needed), best bold, second underlined."""

from __future__ import annotations

import re
from collections.abc import Sequence

from research.reports.answer import headline_metric
from research.reports.claimed import claims_grid, claims_notes, judged_claims
from research.reports.comparison_notes import slice_notes
from research.reports.digits import DAGGER, DASH, DOUBLE_DAGGER, MINUS, metric_name
from research.reports.explained import HEADING, explained, explained_grid, explained_notes
from research.reports.grid import Cell, Grid, grid
from research.reports.notes import notes
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.slice_tables import slice_grid
from research.reports.slices import Bucket, Slicing

NEEDS = "% Needs \\usepackage{booktabs}."

SPECIAL = {
    "\0": "{}",
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",  # \textquotedbl needs a font encoding that is not LaTeX's own
    DASH: "--",
    MINUS: "$-$",
    DAGGER: r"$^\dagger$",
    DOUBLE_DAGGER: r"$^\ddagger$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "→": r"$\rightarrow$",
}
RAISED = {DAGGER: r"^{\dagger}", DOUBLE_DAGGER: r"^{\ddagger}"}
WRAP = {"best": r"\mathbf", "second": r"\underline"}


def latex_table(rows: Sequence[Row], records: StudyRecords) -> str:
    """A whole ``table`` environment with caption, label and footer, one for the variance and one for the claims."""
    label = _label(records)
    title = f"{records.name}: {records.question}".rstrip(": ")
    lines = [NEEDS, *_environment(grid(rows), title, label, notes(records, rows))]
    parts = explained(records, rows)
    if printed := explained_grid(parts):
        foot = explained_notes(parts, headline_metric(records.metrics))
        said = f"{records.name}: {HEADING[0].lower()}{HEADING[1:]}"
        lines += ["", *_environment(printed, said, f"{label}-variance", foot)]
    claims = judged_claims(records, rows)
    if printed := claims_grid(claims):
        said = f"{records.name}: claims"
        lines += ["", *_environment(printed, said, f"{label}-claims", claims_notes(records, claims))]
    return "\n".join(lines) + "\n"


def latex_slices(slices: Sequence[tuple[Slicing, Sequence[Bucket]]], records: StudyRecords, metric: str) -> str:
    """A ``table`` environment for each slicing and group: arms by buckets."""
    lines = [NEEDS]
    for slicing, buckets in slices:
        for number, group in enumerate(dict.fromkeys(bucket.group for bucket in buckets), start=1):
            inside = [bucket for bucket in buckets if bucket.group == group]
            said = f"{records.name}: {metric_name(metric)} by {slicing.words}{f': {group}' if group else ''}"
            label = f"{_label(records)}-{slicing.name}{f'-{number}' if group else ''}"
            lines += ["", *_environment(slice_grid(inside, metric), said, label, slice_notes(records, buckets))]
    return "\n".join(lines) + "\n"


def _label(records: StudyRecords) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "-" for character in records.name)


def _environment(printed: Grid, caption: str, label: str, foot: Sequence[str]) -> list[str]:
    columns = "".join("r" if column.numeric else "l" for column in printed.columns)
    body = []
    for line in printed.lines:
        body += [r"\midrule"] * line.rule
        cells = (_cell(cell, printed.has_spread(at), printed.has_dagger(at)) for at, cell in enumerate(line.cells))
        body.append(" & ".join(cells) + r" \\")
    below = [
        "",
        r"\medskip",
        r"\begin{minipage}{\linewidth}",
        r"\footnotesize",
        "\n".join(rf"{escape(line)}\par" for line in foot),
        r"\end{minipage}",
    ]
    return [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(escape(column.heading) for column in printed.columns) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *(below if foot else ()),
        r"\end{table}",
    ]


def escape(text: str) -> str:
    """Plain text for LaTeX's text mode; other letters pass as UTF-8, hyphens never join to dashes."""
    words = re.sub("-(?=-)", "-\0", " ".join(text.split()))
    return "".join(SPECIAL.get(character, character) for character in words)


def _cell(cell: Cell, spread_in_column: bool, dagger_in_column: bool) -> str:
    """A cell without spread, or dagger, in a column with them keeps their room, so that means stand in one column."""
    if cell.text == DASH or not (spread_in_column or dagger_in_column or cell.mark):
        return escape(cell.text)
    number = f"{WRAP[cell.mark]}{{{cell.text}}}" if cell.mark else cell.text
    if dagger_in_column:
        number += RAISED.get(cell.dagger, r"\phantom{^{\dagger}}")
    if cell.spread:
        return rf"${number} \pm {cell.spread.removeprefix('± ')}$"
    return rf"${number}\phantom{{{{}} \pm .0000}}$" if spread_in_column else f"${number}$"
