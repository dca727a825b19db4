"""The verdicts on a study's claims: computed from the ranks, laid out as a grid, and said in one sentence.

All claims are one family, in each group of data and protocol. A claim whose arms have not both finished counts as a
test without a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.reports.digits import DASH, interval, metric_name, p_value, score, signed
from research.reports.grid import Cell, Column, Grid, Line
from research.reports.records import StudyRecords
from research.reports.row import Row
from research.reports.tested import Asked, judged, runs_of
from research.statistics.claims import Claim

if TYPE_CHECKING:
    from research.statistics.verdict import Verdict

WAITING = "no verdict yet"
NAMED = 4
"""Claims of one outcome that a sentence names; all of them stand in the table below it."""


@dataclass(frozen=True)
class Judged:
    """A claim in one group; ``verdict`` is None while an arm has no finished run there."""

    claim: Claim
    group: str
    verdict: Verdict | None

    @property
    def outcome(self) -> str:
        return self.verdict.outcome if self.verdict else WAITING


def judged_claims(records: StudyRecords, rows: Sequence[Row]) -> list[Judged]:
    """Every claim in every group, in the order of the study file."""
    runs = runs_of(records)
    places = [(claim, group) for group in dict.fromkeys(row.group for row in rows) for claim in records.claims]
    asked = []
    for claim, group in places:
        sides = (_row(name, group, rows) for name in (claim.better, claim.worse))
        better, worse = (runs.get(row.cell, ()) if row else () for row in sides)
        asked.append(Asked(claim, better, worse))
    return [
        Judged(claim, group, verdict) for (claim, group), verdict in zip(places, judged(records, asked), strict=True)
    ]


def claims_grid(found: Sequence[Judged]) -> Grid | None:
    """A line for each claim; None where the study claims nothing."""
    if not found:
        return None
    grouped = any(each.group for each in found)
    columns = [Column("Data", numeric=False)] * grouped
    columns += [Column("Claim", numeric=False), Column("Difference"), Column("Interval")]
    columns += [Column("p"), Column("Adjusted p"), Column("Verdict", numeric=False)]
    lines = []
    for each in found:
        said = each.verdict
        claim = f"{each.claim.better} > {each.claim.worse} on {metric_name(each.claim.metric)}"
        cells = [Cell(each.group, order=each.group)] * grouped + [Cell(claim, order=claim)]
        if said:
            cells += [Cell(signed(said.difference), order=said.difference), Cell(interval(said.interval))]
            cells += [Cell(p_value(p), order=p) for p in (said.p, said.p_adjusted)]
        else:
            cells += [Cell(DASH)] * 4
        cells.append(Cell(_outcome(each), order=each.outcome))
        lines.append(Line(None, tuple(cells), rule=False))
    return Grid(tuple(columns), tuple(lines))


def claims_notes(records: StudyRecords, found: Sequence[Judged]) -> list[str]:
    """How to read the claims' table."""
    if not found:
        return []
    from research.reports.tested import ALPHA

    tests = f"{len(found)} test{'s' * (len(found) != 1)}"
    return [
        f"Claims: difference of the first arm less the second, corrected over {tests} "
        f"({METHODS[records.family]}, level {score(ALPHA, 2)}); each interval at the level of its own test. "
        "Undecided does not mean equal: the interval says how large a difference is still possible."
    ]


def claims_sentence(found: Sequence[Judged]) -> str:
    """How many claims hold, and which; empty where the study claims nothing. Many without a verdict are counted."""
    if not found:
        return ""
    if len(found) > NAMED and len(outcomes := {each.outcome for each in found}) == 1:
        return f"All {len(found)} claims: {outcomes.pop()}."
    parts = []
    for outcome in dict.fromkeys(["supported", "refuted", *(each.outcome for each in found)]):
        inside = [_named(each) for each in found if each.outcome == outcome]
        if len(inside) > NAMED and outcome not in ("supported", "refuted"):
            inside = [f"{len(inside)} others"]
        if inside:
            parts.append(f"{outcome}: {'; '.join(inside)}")
    count = f"{len(found)} claim{'s' * (len(found) != 1)}"
    return f"Of {count}, {'. '.join(f'{part[0].upper()}{part[1:]}' if at else part for at, part in enumerate(parts))}."


METHODS = {"holm": "Holm", "benjamini_hochberg": "Benjamini-Hochberg"}


def _named(each: Judged) -> str:
    text = f"{each.claim.better} > {each.claim.worse} on {metric_name(each.claim.metric)}"
    return f"{text} ({each.group})" if each.group else text


def _outcome(each: Judged) -> str:
    one_seed = each.verdict is not None and not each.verdict.seed_noise_known
    return f"{each.outcome} (one seed: users only)" if one_seed else each.outcome


def _row(name: str, group: str, rows: Sequence[Row]) -> Row | None:
    """The row that a claim names, by its label, else by the values of its axes."""
    inside = [row for row in rows if row.group == group]
    by_label = [row for row in inside if row.label == name]
    return next(iter(by_label or [row for row in inside if ", ".join(row.arm.values()) == name]), None)
