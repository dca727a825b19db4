"""How the arms were tuned: the footer's sentences, and the table of chosen values. Each run's record says its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from research.reports.digits import DASH, amount, metric_name, score
from research.reports.failed_tunings import BUDGET
from research.reports.grid import Cell, Column, Grid, Line
from research.reports.records import StudyRecords
from research.reports.row import Row


def tuning_of(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a run's record says of its tuning."""
    value = record.get("tuning")
    return value if isinstance(value, Mapping) else None


def tuning_notes(records: StudyRecords) -> list[str]:
    """Footer sentences: budget and spaces, who was not tuned, and a warning where budgets are unequal."""
    # Of every run, not one of each arm: the seeds of an arm may have been tuned unalike.
    runs = [(run.label, said) for run in records.runs if (said := tuning_of(run.record))]
    if not runs:
        return []
    kinds: dict[str, dict[str, None]] = {}
    for label, said in runs:
        kinds.setdefault(_budget(said), {})[label] = None
    usual = max(kinds, key=lambda words: len(kinds[words]))
    lines = [
        f"Tuning: {words}, every {'other tuned ' * (len(kinds) > 1)}arm alike."
        if words == usual
        else f"Tuning of {', '.join(labels)}: {words}."
        for words, labels in kinds.items()
    ]
    lines.sort(key=lambda line: not line.startswith("Tuning:"))
    lines.append("Tuning ranked validation items only, in runs with a seed of their own; the test items took no part.")
    for state in ("failed", "pruned"):
        if counts := [f"{label} {said[state]}" for label, said in dict(runs).items() if said.get(state)]:
            lines.append(f"Trials that {'were pruned' if state == 'pruned' else 'failed'} count: {', '.join(counts)}.")
    if untuned := dict.fromkeys(run.label for run in records.runs if not tuning_of(run.record)):
        lines.append(f"Not tuned: {', '.join(untuned)}.")
    budgets = {tuple(str(said.get(key)) for key in BUDGET) for _, said in runs}
    if len(budgets) > 1 or any(run.kind == "model" and not tuning_of(run.record) for run in records.runs):
        lines.append("Warning: the arms were not all tuned with the same budget; their rows do not compare.")
    return lines


def chosen_grid(rows: Sequence[Row], records: StudyRecords) -> Grid | None:
    """A row for each tuned arm: trials, what they chose, its validation value; ``None`` where nothing was tuned."""
    found = {run.cell: said for run in records.runs if (said := tuning_of(run.record))}
    if not found:
        return None
    keys = list(dict.fromkeys(key for said in found.values() for key in said["space"]))
    metric = metric_name(next(iter(found.values()))["metric"])
    columns = [Column("Arm", numeric=False), *(Column(text) for text in ("Trials", "Pruned", "Failed"))]
    columns += [*(Column(key) for key in keys), Column(f"Validation {metric}"), Column("Tuning s")]
    lines = []
    for row in rows:
        if said := found.get(row.cell):
            cells = [Cell(row.label, order=row.label)]
            cells += [Cell(str(said.get(key, 0)), order=said.get(key, 0)) for key in ("trials", "pruned", "failed")]
            cells += [_value((said["chosen"] or {}).get(key)) for key in keys]
            cells += [Cell(score(said["validation"]), order=said["validation"])]
            cells += [Cell(amount(said.get("seconds")), order=said.get("seconds"))]
            lines.append(Line(row, tuple(cells), rule=False))
    return Grid(tuple(columns), tuple(lines))


def _value(value: object) -> Cell:
    if isinstance(value, float):
        return Cell(f"{value:.4g}", order=value)
    return Cell(DASH) if value is None else Cell(str(value), order=str(value))


def _budget(said: Mapping[str, Any]) -> str:
    space = "; ".join(f"{key} {_domain(domain)}" for key, domain in said["space"].items())
    ends = "median pruning" if said.get("prune") else "no pruning"
    trials = f"{said['trials']} trial{'s' * (said['trials'] != 1)}"
    return (
        f"{trials} on validation {metric_name(said['metric'])} "
        f"({said['sampler']} sampler, seed {said['seed']}, {ends}) over {space}"
    )


def _domain(domain: object) -> str:
    from research.tuning.space import read_space

    return str(read_space({"x": domain}, "tuning")["x"])
