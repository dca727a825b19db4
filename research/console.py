"""What a terminal shows: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from research.catalogue import Catalogue
    from research.studies.choice import Choice
    from research.studies.executors.base import Executor
    from research.studies.standing import Standing

FIRST = os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"
"""Whether this is the process that speaks; DDP starts further ones with the same command line."""

out = Console(quiet=not FIRST)
err = Console(stderr=True, quiet=not FIRST)


def announce(line: str) -> None:
    """A line for the reader, not for a pipe."""
    err.print(line, highlight=False, markup=False, soft_wrap=True)


def write_out(text: str) -> None:
    """Text for a pipe, unchanged."""
    if FIRST:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_json(content: Any) -> None:
    """One JSON object on stdout."""
    write_out(json.dumps(content, sort_keys=True))


def print_audit(facts: dict[str, Any]) -> None:
    """A dataset's statistics: what it holds, and what it cannot show."""
    table = Table(title=f"{facts['dataset']}, split {facts['split']}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    for key, value in facts.items():
        if isinstance(value, dict):
            text = "  ".join(f"{bucket}: {count:,}" for bucket, count in value.items())
        elif value is None:
            text = "unknown: the source has no times"
        elif key.endswith("_share"):
            text = f"{value:.1%}"
        elif isinstance(value, float):
            text = f"{value:,.5g}"
        else:
            text = f"{value:,}" if isinstance(value, int) else str(value)
        if key not in ("dataset", "split"):
            table.add_row(key.replace("_", " "), text)
    out.print(table)


def print_record(record: dict[str, Any], directory: Path) -> None:
    """A run's metrics and where its record lies."""
    table = Table(title=f"{record['label']}, {record['data']['name']}, seed {record['seed']}", title_justify="left")
    table.add_column("test")
    for k in (5, 10, 20):
        table.add_column(f"@{k}", justify="right")
    for name in ("recall", "ndcg", "mrr", "precision", "f1"):
        table.add_row(name, *(f"{record['test'][f'{name}@{k}']:.4f}" for k in (5, 10, 20)))
    out.print(table)
    facts = [f"{record['protocol']['users']:,} test users", f"{record['parameters']:,} parameters"]
    if record["validation"]:
        facts.append(f"validation NDCG@10 {record['validation']['ndcg@10']:.4f}")
        facts.append(f"epoch {record['epochs']['best']} of {record['epochs']['run']}")
        facts.append(f"{record['seconds']['train']:.1f} s training")
    if record["branch_weight"]:
        facts.append(
            f"long share {record['branch_weight']['long_mean']:.2f} ± {record['branch_weight']['long_std']:.2f}"
        )
    out.print(", ".join(facts), highlight=False)
    for alarm in record["alarms"]:
        out.print(f"Mind the fusion. {alarm[0].upper()}{alarm[1:]}.", highlight=False)
    out.print(f"Record: {directory}", highlight=False, soft_wrap=True)


def print_table(directory: Path) -> None:
    """A study's table, from its records."""
    from research.reports.rows import read_study, rows
    from research.reports.terminal import terminal_table

    records = read_study(directory)
    out.print(terminal_table(rows(records), records, width=out.width))


def print_plan(standing: Standing, choice: Choice | None = None, executor: Executor | None = None) -> None:
    """The arms of a study with their seeds: done, failed, missing; and what a start has ahead in time and disk."""
    from research.studies.choice import Choice
    from research.studies.estimate import at_once, estimate

    choice = choice or Choice()
    table = Table(title=f"{sum(standing.done)} of {len(standing.runs)} runs are done", title_justify="left")
    table.add_column("arm", overflow="fold")
    for heading in ("done", "failed", "missing", "this start"):
        table.add_column(heading)
    ahead = set(standing.ahead(choice))
    arms: dict[int, list[list[str]]] = {}
    names = {run.number: run.label for run in standing.runs}
    for i, (run, done, reason) in enumerate(zip(standing.runs, standing.done, standing.failed, strict=True)):
        seeds = arms.setdefault(run.number, [[], [], [], []])
        seeds[0 if done else 1 if reason is not None else 2].append(str(run.config.seed))
        if i in ahead:
            seeds[3].append(str(run.config.seed))
    for number, seeds in arms.items():
        table.add_row(escape(names[number]), *(" ".join(each) for each in seeds))
    out.print(table)
    if standing.tunings:
        _print_tunings(standing)
    for run, reason in zip(standing.runs, standing.failed, strict=True):
        if reason is not None:
            out.print(f"Failed: {run.title}: {reason}", highlight=False, markup=False, soft_wrap=True)
    sentence = estimate(standing, choice).sentence(at_once(standing, choice, executor))
    out.print(sentence, highlight=False, soft_wrap=True)
    if left := standing.left(choice):
        out.print(f"{left} failed run(s) are left as they are; --retry-failed does them again.", highlight=False)


def print_tuning(result: dict[str, Any], arm: list[str]) -> None:
    """The trials of one tuning, and the words that train its best one."""
    from research.spelling import plain
    from research.tuning.space import words

    keys = list(result["space"])
    table = Table(title=f"{result['label']}, {result['trials']} trials", title_justify="left")
    for heading in ("trial", *keys, "validation", "epochs", "s"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for trial in result["tried"]:
        best = trial["number"] == result["chosen_trial"]
        value = f"{trial['validation']:.4f}" if trial["validation"] is not None else ""
        tried = [trial["values"][key] for key in keys]
        values = [f"{each:.4g}" if isinstance(each, float) else plain(each) for each in tried]
        note = "best" if best else trial["reason"] or (trial["state"] if trial["state"] != "complete" else "")
        cells = [str(trial["number"] + 1), *values, value, str(trial["epochs"] or ""), f"{trial['seconds']:.1f}"]
        table.add_row(*cells, escape(note), style="bold" if best else "")
    out.print(table)
    if result["chosen"] is not None:
        line = f"research train {shlex.join([*arm, *words(result['chosen'])])}"
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_tunings(standing: Standing) -> None:
    from research.tuning.journal import count
    from research.tuning.space import words

    table = Table(
        title=f"{len(standing.tunings) - len(standing.untuned)} of {len(standing.tunings)} arms are tuned",
        title_justify="left",
    )
    for heading in ("arm", "trials", "chosen"):
        table.add_column(heading)
    for tuning in standing.tunings:
        done, asked = count(tuning.journal), tuning.budget.trials
        table.add_row(tuning.label, f"{done} of {asked}", " ".join(words(tuning.chosen or {})))
    out.print(table)


def print_catalogue(catalogue: Catalogue) -> None:
    """Parts and models, a table for each group, with the columns that its entries fill."""
    for group in catalogue.groups:
        entries = catalogue.of(group)
        columns: dict[str, list[str]] = {"what it is": [escape(entry.line) for entry in entries]}
        if any(entry.paper for entry in entries):
            columns["paper"] = [escape(entry.paper or "") for entry in entries]
        if any(entry.parameters is not None for entry in entries):
            columns["parameters"] = [f"{entry.parameters or 0:,}" for entry in entries]
            columns["in tables"] = [f"{entry.tables or 0:,}" for entry in entries]
        table = Table(title=f"{group}: {len(entries)}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("name", style="bold", no_wrap=True)
        for heading in columns:
            number = heading in ("parameters", "in tables")
            table.add_column(heading, justify="right" if number else "left", no_wrap=number)
        for entry, *cells in zip(entries, *columns.values(), strict=True):
            table.add_row(entry.name, *cells)
        out.print(table)
    sizes = catalogue.sizes
    out.print(
        f"Parameters at width {sizes.width} and rows of at most {sizes.max_length}; tables, which are counted apart, "
        f"of {sizes.n_items:,} items and {sizes.n_users:,} users.",
        highlight=False,
    )
