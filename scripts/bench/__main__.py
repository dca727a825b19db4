"""``make bench``: the framework against a plain-PyTorch loop and its peers; ``make bench-quick``: the loop alone.

Stop it at any time: what is finished is not repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from research.console import announce, out
from research.data.atomic import write_whole
from research.data.prepare import default_cache
from research.errors import UserError
from research.training.environment import code, environment
from scripts.bench.datasets import DATASETS, ROOT, export
from scripts.bench.environments import PEERS, python_of
from scripts.bench.plan import Job, Promise, everything, pair_of, promises
from scripts.bench.runner import Bench, run
from scripts.bench.tables import (
    Table,
    evaluation_table,
    machine_table,
    markdown,
    promise_table,
    startup_table,
    terminal,
    training_table,
)

QUICK_S = 170.0
"""A quick run starts no further round that would end behind this, in seconds. The first takes about 130."""


def main() -> None:
    """Read the command line, measure, print and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="framework and reference alone, in under 3 minutes")
    parser.add_argument("--rounds", type=int, default=3, help="of framework and reference")
    parser.add_argument("--peer-rounds", type=int, default=1)
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--window", type=float, default=60.0, help="seconds that a peer is watched")
    parser.add_argument("--warmup", type=float, default=15.0, help="seconds before that")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cache", type=Path, default=default_cache() / "bench", help="environments and data")
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / "bench", help="finished measurements")
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "bench")
    a = parser.parse_args()
    try:
        arrays = {name: export(dataset.source, a.cache, announce) for name, dataset in DATASETS.items()}
        if a.quick:
            tables = quick(Bench(a.store.with_name(f"{a.store.name}-quick"), arrays, {}, a.threads))
        else:
            pythons = {name: python_of(PEERS[name], a.cache, announce) for name in a.peers}
            bench = Bench(a.store, arrays, pythons, a.threads, a.warmup, a.window)
            order = everything(a.rounds, a.peer_rounds, tuple(a.peers))
            measurements, failed = run(bench, order, announce)
            tables = all_tables(bench, measurements, failed, promises())
            save(a.results, tables, measurements, failed, a.rounds, a.peer_rounds)
            announce(f"Written: {a.results / 'table.md'}, {a.results / 'bench.json'}")
    except UserError as error:
        announce(str(error))
        sys.exit(2)
    shown = out if out.is_terminal else Console(width=140)
    for table in tables:
        shown.print(terminal(table))


def quick(bench: Bench) -> list[Table]:
    """Rounds of framework and reference until the time is used; nothing is resumed and nothing is kept."""
    shutil.rmtree(bench.store, ignore_errors=True)
    started = time.perf_counter()
    measurements, failed = run(bench, [((Job("peaks"),), 0)], announce)
    last: dict[str, float] = dict.fromkeys(bench.arrays, 0.0)
    number = 0
    while True:
        for data in bench.arrays:
            if number and time.perf_counter() - started + last[data] > QUICK_S:
                continue
            begun = time.perf_counter()
            some, reasons = run(bench, [(pair_of(number, "transformer", data), number)], announce)
            last[data] = time.perf_counter() - begun
            measurements, failed = measurements + some, failed | reasons
        number += 1
        if failed or time.perf_counter() - started + min(last.values()) > QUICK_S:
            break
    measured = {Job(**m["job"]) for m in measurements}
    held = [p for p in promises() if {p.over, p.under} <= measured]
    return all_tables(bench, measurements, failed, held, startup=False)


def all_tables(
    bench: Bench,
    measurements: list[dict[str, Any]],
    failed: dict[str, str],
    held: list[Promise],
    *,
    startup: bool = True,
) -> list[Table]:
    """What is shown and written, in this order."""
    facts = environment()
    state = code()
    machine = {name: facts[name] for name in ("processor", "cores", "platform", "python")} | {
        "threads of every process": bench.threads,
        "commit": f"{(state['commit'] or 'unknown')[:10]}{', changed' if state['changed'] else ''}",
    }
    return [
        *(training_table(measurements, data, some) for data, some in bench.arrays.items()),
        *(evaluation_table(measurements, data) for data in bench.arrays),
        promise_table(measurements, held),
        *([startup_table(measurements)] if startup else []),
        machine_table(measurements, machine, failed),
    ]


def save(
    folder: Path,
    tables: list[Table],
    measurements: list[dict[str, Any]],
    failed: dict[str, str],
    rounds: int,
    peer_rounds: int,
) -> None:
    """Write ``table.md`` and ``bench.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    lead = (
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. Rounds of framework and reference: {rounds}, in "
        "turn: a model's processes run at the same time, each works for 1/32 of an epoch while the others wait, "
        "their clocks stopped, behind an epoch of warm-up. Rounds of the peers, one window each: "
        f"{peer_rounds}. Every measurement is a process of its own. Median (least – most). The reference is a bare "
        "loop (`scripts/bench/reference.py`); the framework trains with callbacks, checkpoints and its record."
    )
    write_whole(folder / "table.md", markdown(tables, "Speed", lead).encode())
    content = {"schema": 1, "code": code(), "environment": environment(), "failed": failed}
    text = json.dumps({**content, "measurements": measurements}, indent=1)
    write_whole(folder / "bench.json", (text + "\n").encode())


if __name__ == "__main__":
    main()
