"""All published arms beside each other, by data and protocol: python scripts/leaderboard.py

Writes results/LEADERBOARD.md from the records below results/. Arms of one table answer the same test queries. They come
from studies with budgets of their own, so a place is a fact and no claim: what is shown to be better than what stands
in the studies' tables, which test. A test compares the file with what this writes.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from research.papers.as_study import PREFIX  # noqa: E402
from research.reports.digits import score, spread  # noqa: E402
from research.reports.rows import read_study, untested_rows  # noqa: E402
from research.reports.summary import Value  # noqa: E402

METRICS = ("ndcg@10", "recall@10")
HEAD = """# Leaderboard

Written by `python scripts/leaderboard.py` from the records below `results/`. One table for the same data and protocol,
so all its rows rank the same held-out items; the mean over seeds of the mean over test queries, ± the sample standard
deviation over seeds. Rows of different studies had different budgets and search spaces: the studies' own tables test
what is better than what, and this one does not. Words that were said beside a command stand in the
[lab notes](LOG.md), the whole configuration of a run in its record. Seconds are of one training run, on a machine that
did other work too.
"""


@dataclass(frozen=True)
class Line:
    """One arm of one study.

    Attributes:
        study: its directory, from results/.
        asked: the study's name in its command.
    """

    study: str
    asked: str
    label: str
    seeds: int
    trials: int | None
    values: tuple[Value, ...]
    seconds: float | None
    commits: tuple[str, ...]


def question(record: dict[str, Any]) -> tuple[str, str]:
    """What two rows must share to be beside each other: the data with their digest, and the protocol in words."""
    protocol = {key: value for key, value in record["protocol"].items() if key not in ("users", "queries")}
    data = record["data"]
    words = ", ".join(f"{key} {value}" for key, value in sorted(protocol.items()))
    return f"{data['name']}, {record['protocol']['users']:,} test users ({data['digest'][:12]})", words


def lines(results: Path) -> dict[tuple[str, str], list[Line]]:
    """The arms of every published study, best first."""
    found: dict[tuple[str, str], dict[str, Line]] = defaultdict(dict)
    for path in sorted(results.glob("**/runs/study.yaml")):
        records = read_study(path.parent)
        of_cell = {run.cell: [r for r in records.finished if r.cell == run.cell] for run in records.finished}
        for row in untested_rows(records, METRICS):
            if not row.values:
                continue
            runs = of_cell[row.cell]
            values = tuple(row.values[name] for name in METRICS)
            commits = tuple(sorted({run.record["code"]["commit"][:12] for run in runs}))
            line = Line(
                path.parent.parent.relative_to(results).as_posix(),
                records.name,
                row.label,
                len(row.seeds),
                row.trials,
                values,
                row.seconds,
                commits,
            )
            # The same run in two studies, such as popularity, is one row: that of the study with more seeds.
            key = str(sorted(run.record["identity"] for run in runs)) if row.kind == "baseline" else f"{path}{row.cell}"
            known = found[question(dict(runs[0].record))]
            if key not in known or known[key].seeds < line.seeds:
                known[key] = line
    return {key: sorted(some.values(), key=lambda line: -line.values[0].mean) for key, some in sorted(found.items())}


def command(study: str) -> str:
    """What runs a study of this name."""
    return f"research reproduce {study.removeprefix(PREFIX)}" if study.startswith(PREFIX) else f"research study {study}"


def written(results: Path) -> str:
    """The whole page."""
    parts = [HEAD]
    for (data, protocol), some in lines(results).items():
        parts += [
            f"## {data}\n",
            f"{protocol}.\n",
            "| | arm | NDCG@10 | Recall@10 | seeds | trials | s | study | commit |",
        ]
        parts += ["|--:|---|--:|--:|--:|--:|--:|---|---|"]
        for place, line in enumerate(some, 1):
            cells = [f"{score(value.mean)} {spread(value)}".strip() for value in line.values]
            parts.append(
                f"| {place} | {line.label} | {cells[0]} | {cells[1]} | {line.seeds} | {line.trials or '–'} | "
                f"{f'{line.seconds:.0f}' if line.seconds else '–'} | [{line.study}]({line.study}/table.md) | "
                f"{' '.join(line.commits)} |"
            )
        # But for words that were said with it: these stand in the lab notes.
        commands = dict.fromkeys(f"`{command(line.asked)}`" for line in some)
        parts.append(f"\nTo run it again: {', '.join(commands)}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / "results" / "LEADERBOARD.md").write_text(written(ROOT / "results"))
