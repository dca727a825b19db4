"""A comparison as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from research.comparison.compare import Comparison, Difference
from research.reports.digits import DASH, amount, metric_name, score


def print_comparison(found: Comparison, out: Console) -> None:
    """Metrics, slices, settings, costs, notes."""
    for name, side in (("first", found.first), ("second", found.second)):
        seeds = ", ".join(map(str, side.seeds))
        place = side.directories[0] if len(side.directories) == 1 else side.directories[0].parent
        out.print(f"{name}: {side.label}, seed {seeds}: {place}", highlight=False, markup=False, soft_wrap=True)
    out.print(_differences("First minus second, paired by user", "metric", found.metrics, metrics=True))
    out.print(_differences(f"{metric_name(found.slice_metric)} by slice", "slice", found.slices))
    settings = Table(title="Settings that differ", title_justify="left")
    for heading in ("key", "first", "second"):
        settings.add_column(heading, overflow="fold")
    for key, values in found.settings.items():
        settings.add_row(*(escape(text) for text in (key, *values)))
    out.print(settings if found.settings else "No setting differs.")
    costs = Table(title="Cost, mean over seeds", title_justify="left")
    costs.add_column("")
    for heading in ("first", "second"):
        costs.add_column(heading, justify="right")
    for name, values in found.costs.items():
        costs.add_row(name, *(amount(value) for value in values))
    out.print(costs)
    out.print("p: sign-flip test over users, corrected by Holm within its table. Interval: 95 %, users and seeds.")
    for note in found.notes:
        out.print(note, highlight=False, markup=False)


def _differences(title: str, kind: str, rows: Sequence[Difference], *, metrics: bool = False) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(kind)
    for heading in ("queries", "users", "first", "second", "difference", "95 % interval", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in rows:
        interval = f"{score(one.interval.low)} to {score(one.interval.high)}" if one.interval else DASH
        p = DASH if one.p_adjusted is None else f"{one.p_adjusted:.2g}"
        name = metric_name(one.name) if metrics else one.name
        numbers = (score(one.first), score(one.second), score(one.difference), interval, p)
        table.add_row(escape(name), f"{one.queries:,}", f"{one.users:,}", *numbers)
    return table
