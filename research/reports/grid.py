"""Rows -> the printed grid: which columns there are and what each cell says. All writers print this grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from research.reports.digits import DAGGER, DASH, DOUBLE_DAGGER, amount, metric_name, score, spread
from research.reports.row import Mark, Row


@dataclass(frozen=True)
class Column:
    """A heading; ``numeric`` columns are set flush right, a narrow terminal leaves ``secondary`` ones out."""

    heading: str
    numeric: bool = True
    secondary: bool = False


@dataclass(frozen=True)
class Cell:
    """Text, its spread (``± .0012`` or nothing), its mark, and what it sorts by (None sorts last).

    ``dagger`` says how it stands to the baseline arm: † above, ‡ below, nothing where that is not decided.
    """

    text: str
    spread: str = ""
    mark: Mark | None = None
    order: float | str | None = None
    dagger: str = ""

    @property
    def whole(self) -> str:
        return f"{self.text}{self.dagger} {self.spread}".rstrip()


@dataclass(frozen=True)
class Line:
    """A printed row, of an arm or a claim; ``rule`` asks for a line above it: a new group, or the step to the arms."""

    row: Row | None
    cells: tuple[Cell, ...]
    rule: bool


@dataclass(frozen=True)
class Grid:
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]

    def has_spread(self, index: int) -> bool:
        """Whether any cell of a column has a spread: the others then keep room for one."""
        return any(line.cells[index].spread for line in self.lines)

    def has_dagger(self, index: int) -> bool:
        """Whether any cell of a column has a dagger: the others then keep room for one."""
        return any(line.cells[index].dagger for line in self.lines)


def grid(rows: Sequence[Row]) -> Grid:
    """Lay out rows; columns that no row can fill (data of a one-data study, weights) are absent."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.values))
    grouped = any(row.group for row in rows)
    weighted = any(row.branch_weight is not None for row in rows)
    columns = [Column("Data", numeric=False)] * grouped
    columns += [Column("Arm", numeric=False), Column("Seeds")]
    columns += [Column(metric_name(name)) for name in metrics]
    columns += [Column("Long weight")] * weighted
    columns += [Column(heading, secondary=True) for heading in ("Parameters", "Train s", "Best epoch")]
    tuned = any(row.trials is not None for row in rows)
    columns += [Column("Trials", secondary=True)] * tuned
    lines = []
    for above, row in zip([None, *rows], rows, strict=False):
        cells = [Cell(row.group, order=row.group)] * grouped
        cells += [_arm(row), _seeds(row)]
        cells += [metric_cell(row, name) for name in metrics]
        cells += [_weight(row)] * weighted
        cells += [Cell(amount(value), order=value) for value in (row.parameters or None, row.seconds, row.epochs)]
        cells += [Cell(amount(row.trials), order=row.trials)] * tuned
        rule = above is not None and (above.group, above.kind) != (row.group, row.kind)
        lines.append(Line(row, tuple(cells), rule))
    return Grid(tuple(columns), tuple(lines))


def _arm(row: Row) -> Cell:
    return Cell(f"{row.label} (baseline)" if row.reference else row.label, order=row.label)


def _seeds(row: Row) -> Cell:
    done = len(row.seeds)
    return Cell(str(done) if done == row.planned else f"{done} of {row.planned}", order=done)


def metric_cell(row: Row, name: str) -> Cell:
    """Mean, spread over seeds, mark and dagger of one row."""
    value = row.values.get(name)
    if value is None:
        return Cell(DASH)
    dagger = {1: DAGGER, -1: DOUBLE_DAGGER}.get(row.side(name), "")
    return Cell(score(value.mean), spread(value), row.marks.get(name), value.mean, dagger)


def _weight(row: Row) -> Cell:
    if row.branch_weight is None:
        return Cell(DASH)
    return Cell(score(row.branch_weight.mean, places=2), order=row.branch_weight.mean)
