"""The lines under a table: what was measured, on what, with which seeds and code, and what is not claimed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np

from research.reports.comparison_notes import comparison_notes
from research.reports.groups import data_name, groups, protocol
from research.reports.records import StudyRecords, plain
from research.reports.row import Row
from research.reports.tunings import tuning_notes

SEVERAL = (
    "A user may have several test queries. Each query counts the same in a mean; a test pairs users, each with the sum "
    "over the user's queries, so the difference that it tests is the one between these means."
)


def notes(records: StudyRecords, rows: Sequence[Row], best: str = "bold", second: str = "underlined") -> list[str]:
    """Footer sentences in plain text.

    Args:
        best: how the writer shows the best value, in words; likewise ``second``.
    """
    return [
        *_reading(records, rows, best, second),
        "Protocol: " + "; ".join(_distinct(protocol(run) for run in records.finished)) + ".",
        *data_lines(records),
        *_users(records),
        _seeds(records, rows),
        *tuning_notes(records),
        _code(records),
        f"Study {records.name}, identity {identity(records)}.",
        *comparison_notes(records, rows),
        *_alarms(records),
        *(f"Failed: {line}" for line in failures(rows)),
        *_missing(records),
    ]


def identity(records: StudyRecords) -> str:
    """Twelve hex digits over which runs, of which configuration, the table is made of."""
    parts = [f"{run.cell}\t{run.seed}\t{plain(run.record.get('identity'))}" for run in records.finished]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def data_lines(records: StudyRecords) -> list[str]:
    """One line per data set, with its audit; a warning when runs saw different versions of one name."""
    seen: dict[tuple[str, str], dict[str, list[float]]] = {}
    for run in records.finished:
        data = run.section("data")
        audit = data.get("audit")
        facts = seen.setdefault((data_name(run), plain(data.get("digest", ""))[:12]), {})
        for key, value in (audit if isinstance(audit, Mapping) else {}).items():
            if isinstance(value, int | float):
                facts.setdefault(key.replace("_", " "), []).append(value)
    lines = []
    for (name, digest), facts in seen.items():
        said = "; ".join(f"{key} {_span(values)}" for key, values in facts.items())
        lines.append(f"Data: {name}, digest {digest}: {said}".rstrip(": ") + ".")
    twice = [name for name, count in Counter(name for name, _ in seen).items() if count > 1]
    warning = "Warning: the runs on {} did not all see the same interactions; their rows do not compare."
    return lines + [warning.format(name) for name in twice]


def _span(values: Sequence[float]) -> str:
    """Some facts are of the window or the split, which may differ between arms."""
    low, high = fact(min(values)), fact(max(values))
    return low if low == high else f"{low} to {high}"


def failures(rows: Sequence[Row]) -> list[str]:
    return [f"{row.label}, seed {failure.seed}: {failure.reason}" for row in rows for failure in row.failed]


def fact(value: object) -> str:
    """A number of the audit: whole with thousands separated, shares with four significant digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _reading(records: StudyRecords, rows: Sequence[Row], best: str, second: str) -> list[str]:
    counted = "test queries" if records.several else "users"
    lines = [f"Mean over {counted}, then over seeds; ± is the sample standard deviation over seeds."]
    if any(row.marks for row in rows):
        lines.append(f"Best trained arm {best}, second {second}.")
    return [" ".join(lines)]


def _users(records: StudyRecords) -> list[str]:
    """How many users were ranked, with how many queries; a warning where rows of one group ranked different ones."""
    group_of = groups(records)
    sets: dict[str, dict[bytes, tuple[int, int]]] = {}
    for run in records.finished:
        assert run.ranks is not None
        users_N = np.sort(run.ranks.user_N)
        sets.setdefault(group_of[run.cell], {})[users_N.tobytes()] = run.ranks.users, len(users_N)
    lines = []
    for group, counts in sets.items():
        users, queries = max(counts.values())
        asked = f", {queries:,} queries" if queries > users else ""
        lines.append(f"Test users{f' of {group}' if group else ''}: {users:,}{asked}.")
    if records.several:
        lines.append(SEVERAL)
    warning = "Warning: the runs do not all rank the same users; their rows do not compare."
    return lines + [warning] * any(len(counts) > 1 for counts in sets.values())


def _seeds(records: StudyRecords, rows: Sequence[Row]) -> str:
    seeds = _distinct(str(seed) for seed in (records.seeds or sorted({s for row in rows for s in row.seeds})))
    single = " Rows without training are deterministic: one run." if any(row.kind != "model" for row in rows) else ""
    return f"Seeds: {', '.join(seeds)}.{single}"


def _code(records: StudyRecords) -> str:
    made = Counter(
        f"{plain(code.get('version', 'unknown'))} at {plain(code.get('commit') or 'unknown')[:12]}"
        for code in (run.section("code") for run in records.finished)
    )
    if len(made) == 1:
        return f"Code: {next(iter(made))}."
    return "Code: " + ", ".join(f"{version} ({count} runs)" for version, count in sorted(made.items())) + "."


def _alarms(records: StudyRecords) -> list[str]:
    """What the fusions' weights gave cause to remark, one line for each arm with its seeds."""
    found: dict[str, list[int]] = {}
    for run in records.finished:
        for alarm in run.record.get("alarms", ()):
            # One kind a line: the numbers of another seed would make another line.
            found.setdefault(f"{run.label}: {alarm.partition(':')[0]}", []).append(run.seed)
    return [
        f"Weights: {words} (seed{'s' * (len(seeds) > 1)} {', '.join(map(str, sorted(seeds)))})."
        for words, seeds in found.items()
    ]


def _missing(records: StudyRecords) -> list[str]:
    """How many points of the grid have no run yet; silent when arms are not described by the study's axes.

    An arm that does not read an axis, as one view alone, is the arm of all points along it.
    """
    arms = [{axis: run.arm[axis] for axis in records.axes if axis in run.arm} for run in records.runs]
    arms = [arm for arm in arms if arm]
    points = [dict(zip(records.axes, values, strict=True)) for values in product(*records.axes.values())]
    points = [point for point in points if not any(_is_in(point, entry) for entry in records.exclude)]
    ended = sum(any(arm.items() <= point.items() for arm in arms) for point in points)
    if not ended or ended == len(points):
        return []
    return [f"The grid is not complete: {ended} of {len(points)} arms have a run that ended."]


def _is_in(point: Mapping[str, str], entry: Mapping[str, Sequence[str]]) -> bool:
    return all(point.get(axis) in values for axis, values in entry.items())


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
