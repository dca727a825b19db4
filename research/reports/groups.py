"""What may be compared: runs on the same data under the same protocol form a group."""

from __future__ import annotations

from research.reports.records import Run, StudyRecords, plain


def data_name(run: Run) -> str:
    return plain(run.section("data").get("name", "unnamed data"))


def protocol(run: Run) -> str:
    """The evaluation rule in one phrase: split, candidates, seen items, ties."""
    words = {
        "split": "{} split",
        "ranking": "ranking over {}",
        "seen": "seen items {}",
        "cold_targets": "targets unseen in training {}",
        "negatives": "training negatives {}",
        "counts": "popularity counted over {}",
        "ties": "ties by {} value",
    }
    rule = run.section("protocol")
    return ", ".join(words[key].format(plain(rule[key])) for key in words if key in rule)


def groups(records: StudyRecords) -> dict[str, str]:
    """Cell -> its data and protocol in words, ``""`` for all when the study has only one of each.

    A cell without a finished run has no protocol on record: it joins the group of its ``data`` axis, else the
    first.
    """
    known = {run.cell: (data_name(run), protocol(run)) for run in records.finished}
    first = next(iter(known.values()), ("", ""))
    by_data = {data: (data, rule) for data, rule in reversed(known.values())}
    keys = {run.cell: known.get(run.cell) or by_data.get(run.arm.get("data", ""), first) for run in records.runs}
    many_data = len({data for data, _ in keys.values()}) > 1
    many_rules = len({rule for _, rule in keys.values()}) > 1
    return {cell: "; ".join([data] * many_data + [rule] * many_rules) for cell, (data, rule) in keys.items()}
