"""The study's table in LaTeX: ``booktabs`` (the only package needed), best bold, second underlined."""

from __future__ import annotations

import re
from collections.abc import Sequence

from research.reports.claimed import claims_grid, claims_notes, judged_claims
from research.reports.digits import DAGGER, DASH, DOUBLE_DAGGER, MINUS
from research.reports.grid import Cell, Grid, grid
from research.reports.notes import notes
from research.reports.records import StudyRecords
from research.reports.row import Row

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
    """A whole ``table`` environment with caption, label and footer, and one for the claims."""
    label = "".join(character if character.isascii() and character.isalnum() else "-" for character in records.name)
    title = f"{records.name}: {records.question}".rstrip(": ")
    lines = ["% Needs \\usepackage{booktabs}.", *_environment(grid(rows), title, label, notes(records, rows))]
    claims = judged_claims(records, rows)
    if printed := claims_grid(claims):
        said = f"{records.name}: claims"
        lines += ["", *_environment(printed, said, f"{label}-claims", claims_notes(records, claims))]
    return "\n".join(lines) + "\n"


def _environment(printed: Grid, caption: str, label: str, foot: Sequence[str]) -> list[str]:
    columns = "".join("r" if column.numeric else "l" for column in printed.columns)
    body = []
    for line in printed.lines:
        body += [r"\midrule"] * line.rule
        cells = (_cell(cell, printed.has_spread(at), printed.has_dagger(at)) for at, cell in enumerate(line.cells))
        body.append(" & ".join(cells) + r" \\")
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
        "",
        r"\medskip",
        r"\begin{minipage}{\linewidth}",
        r"\footnotesize",
        "\n".join(rf"{escape(line)}\par" for line in foot),
        r"\end{minipage}",
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
