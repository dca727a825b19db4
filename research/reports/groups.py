"""What may be compared: runs on the same data under the same protocol form a group."""

from __future__ import annotations

from research.reports.records import Run, StudyRecords, plain


def data_name(run: Run) -> str:
    return plain(run.section("data").get("name", "unnamed data"))


def _digest(run: Run) -> str:
    return plain(run.section("data").get("digest", ""))[:12]


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
    first. Two data sets of one name are told apart by their digests.
    """
    digests: dict[str, set[str]] = {}
    for run in records.finished:
        digests.setdefault(data_name(run), set()).add(_digest(run))
    several = {name for name, found in digests.items() if len(found) > 1}
    names = {run.cell: data_name(run) + f" ({_digest(run)})" * (data_name(run) in several) for run in records.finished}
    known = {run.cell: (names[run.cell], protocol(run)) for run in records.finished}
    first = next(iter(known.values()), ("", ""))
    last_first = list(reversed(records.finished))
    by_data = {name: known[run.cell] for run in last_first for name in (data_name(run), run.arm.get("data", ""))}
    keys = {run.cell: known.get(run.cell) or by_data.get(run.arm.get("data", ""), first) for run in records.runs}
    many_data = len({data for data, _ in keys.values()}) > 1
    many_rules = len({rule for _, rule in keys.values()}) > 1
    return {cell: "; ".join([data] * many_data + [rule] * many_rules) for cell, (data, rule) in keys.items()}
