"""Time and memory of preparation: MovieLens 1M beside three peers, and 20 and 100 million rows.

The large files are drawn from a seed (`large`). A measurement is a process of its own with a fresh cache, on two
processors; the one of 100 million rows may not have more than 8 GiB of addresses, which is a harder limit than memory.
MovieLens 1M is the same tab-separated file for everyone. Imports are not counted, neither ours nor the peers'.

    python -m scripts.bench.preparation                  all, written to results/bench/preparation.{json,md}
    python -m scripts.bench.preparation --only 20m       one of 1m, 20m, 100m; the others' last numbers stay

It needs 12 GB of disk. The peers' environments are those of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.bench.datasets import BESIDE, ROOT
from scripts.bench.large import SHAPES

RESULTS = ROOT / "results" / "bench"
PEERS = {"rectools": "prepare_rectools.py", "replay-rec": "prepare_replay.py", "recbole": "prepare_recbole.py"}
GIB = 2**30
LIMIT = {"100m": 8 * GIB}
"""Bytes of addresses that a measurement may have."""
PROMISED = {"20m": (60.0, 4 * GIB), "100m": (None, 8 * GIB)}
"""Seconds and bytes."""


def peak() -> int:
    """Largest resident size of this process, in bytes, mapped files included; not that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(what: str, path: Path, cache: Path) -> dict[str, Any]:
    """Prepare ``path`` in a fresh ``cache``; runs in a process of its own."""
    if what in LIMIT:
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT[what], LIMIT[what]))
    import numpy
    import polars

    from research.config import compose
    from research.data.prepare import prepare
    from research.data.source import Source
    from research.schema import build

    if what == "1m":
        words = ["data=files", f"data.path={path}", "data.columns=[user,item,rating,time]"]
    else:
        shape = SHAPES[what]
        raw = cache / "raw" / shape.source
        raw.mkdir(parents=True)
        (raw / shape.file).symlink_to(path)
        words = [f"data={shape.source}"]
    source = build(compose(words).data, Source)
    begin, before = time.perf_counter(), peak()
    histories = prepare(source, cache=cache)
    seconds = time.perf_counter() - begin
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_bytes": peak(),
        "peak_before_bytes": before,
        "limit_bytes": LIMIT.get(what),
        "users": histories.n_users,
        "items": histories.n_items,
        "rows": len(histories.items),
        "digest": histories.digest,
        "versions": {"numpy": numpy.__version__, "polars": polars.__version__},
    }


def run(command: list[str]) -> dict[str, Any]:
    """The last line that a process writes, as JSON; it gets two processors."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"OMP_NUM_THREADS": "2", "POLARS_MAX_THREADS": "2"}
    two = set(sorted(os.sched_getaffinity(0))[:2]) if hasattr(os, "sched_getaffinity") else None
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=(lambda: os.sched_setaffinity(0, two)) if two else None,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def ours(what: str, path: Path) -> dict[str, Any]:
    """One measurement of the framework."""
    with tempfile.TemporaryDirectory(dir=path.parent) as cache:
        return run([sys.executable, "-m", "scripts.bench.preparation", "--measure", what, str(path), cache])


def movielens_1m(place: Path) -> Path:
    """The ratings with tabs between, from the official file or its two parts."""
    from research.data.fetch import fetch
    from research.data.prepare import default_cache, mirrors_from_environment
    from research.data.sources.movielens import MovieLens
    from research.data.sources.movielens_1m_parts import MovieLens1MParts
    from research.errors import UserError

    path = place / "ml-1m.tsv"
    if not path.exists():
        mirrors = mirrors_from_environment() or ((BESIDE,) if BESIDE.is_dir() else ())
        try:
            source = MovieLens1MParts()
            raw = fetch(source.name, source.files(), cache=default_cache(), mirrors=mirrors)
            content = raw["ratings.dat.part1"] + raw["ratings.dat.part2"]
        except UserError:
            source = MovieLens(size="1m")
            content = fetch(source.name, source.files(), cache=default_cache(), mirrors=mirrors)["ratings.dat"]
        path.write_bytes(content.replace(b"::", b"\t"))
    return path


def beside_peers(place: Path, cache: Path, rounds: int) -> list[dict[str, Any]]:
    """MovieLens 1M: everyone in turn, so that a busy moment of the machine hits all of them."""
    from research.console import announce
    from scripts.bench import environments

    path, here = movielens_1m(place), Path(__file__).parent / "preparing"
    pythons = {name: environments.python_of(environments.PEERS[name], cache, announce) for name in PEERS}
    rows = []
    for number in range(rounds):
        rows.append({"who": "framework", "round": number, **ours("1m", path)})
        for name, script in PEERS.items():
            rows.append({"who": name, "round": number, **run([str(pythons[name]), str(here / script), str(path)])})
    return rows


def table(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = ["# Preparation", "", "Made by `python -m scripts.bench.preparation` on two processors."]
    if small := found.get("1m"):
        rows, rounds = int(small[0]["rows"]), small[-1]["round"] + 1
        lines += ["", f"MovieLens 1M, {rows:,} rows, the same tab-separated file; median of {rounds}.", ""]
        lines += ["| who | seconds | x ours | peak MB | what is ready then |", "| --- | ---: | ---: | ---: | --- |"]
        ready = {row["who"]: row.get("ready", "sorted, numbered histories on disk, mapped") for row in small}

        def median(who: str, key: str) -> float:
            return statistics.median(row[key] for row in small if row["who"] == who)

        for who, what in ready.items():
            seconds, memory = median(who, "seconds"), median(who, "peak_bytes") / 1e6
            ratio = seconds / median("framework", "seconds")
            lines.append(f"| {who} | {seconds:.2f} | {ratio:.1f} | {memory:,.0f} | {what} |")
    large = [(name, one) for name in SHAPES for one in found.get(name, [])]
    if large:
        lines += [
            "",
            "| file | rows | users | items | seconds | of processors | peak GB | limit of addresses | promise |",
        ]
        lines += ["| --- | " + "---: | " * 7 + "--- |"]
    for name, one in large:
        seconds, bytes_ = PROMISED[name]
        kept = (seconds is None or one["seconds"] < seconds) and one["peak_bytes"] < bytes_
        promise = (f"{seconds:.0f} s, " if seconds else "") + f"{bytes_ / GIB:.0f} GiB: {'kept' if kept else 'missed'}"
        limit = f"{one['limit_bytes'] / GIB:.0f} GiB" if one["limit_bytes"] else "none"
        shape = SHAPES[name]
        lines.append(
            f"| {shape.source}, {shape.file} | {one['rows']:,} | {one['users']:,} | {one['items']:,} | "
            f"{one['seconds']:.1f} | {one['cpu_s']:.1f} | {one['peak_bytes'] / 1e9:.2f} | {limit} | {promise} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is asked for, and write both files."""
    from research.data.prepare import default_cache

    parser = argparse.ArgumentParser(description="Time and memory of preparation.")
    parser.add_argument("--only", nargs="*", choices=["1m", *SHAPES], default=["1m", *SHAPES])
    parser.add_argument("--rounds", type=int, default=3, help="of MovieLens 1M")
    parser.add_argument("--cache", type=Path, default=default_cache() / "bench", help="environments and drawn files")
    parser.add_argument("--out", type=Path, default=RESULTS, help="directory of preparation.json and preparation.md")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.measure:
        what, path, cache = a.measure
        sys.stdout.write(json.dumps(measure(what, Path(path), Path(cache))) + "\n")
        return
    from research.data.atomic import write_whole
    from research.training.environment import environment

    place = a.cache / "preparation"
    place.mkdir(parents=True, exist_ok=True)
    old = a.out / "preparation.json"
    found = json.loads(old.read_text()) if old.exists() else {}
    for what in a.only:
        if what == "1m":
            found["1m"] = beside_peers(place, a.cache, a.rounds)
            continue
        path = place / SHAPES[what].file
        if not path.exists():
            sys.stderr.write(f"drawing {path}\n")
            SHAPES[what].write(path)
        sys.stderr.write(f"preparing {path}\n")
        found[what] = [ours(what, path)]
    found["environment"] = environment()
    a.out.mkdir(parents=True, exist_ok=True)
    write_whole(a.out / "preparation.json", (json.dumps(found, indent=1) + "\n").encode())
    write_whole(a.out / "preparation.md", table(found).encode())
    sys.stdout.write(table(found))


if __name__ == "__main__":
    main()
