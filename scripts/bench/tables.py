"""The benchmark's tables as rows of text, and their two forms: Markdown for the file, rich for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scripts.bench.datasets import DATASETS, Arrays
from scripts.bench.flops import transformer_epoch
from scripts.bench.plan import STARTUP, Job, Promise
from scripts.bench.summary import Spread, check, facts_of, jobs_of, spread, values

if TYPE_CHECKING:
    from rich.table import Table as RichTable

NONE = "–"
BUSY = 0.1
"""Share of the processors that others may use before a measurement is suspect."""


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; all columns but the first are numbers or short words."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    note: str = ""


def number(value: float) -> str:
    """Three significant digits, thousands set apart."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{round(value, digits):,.{min(digits, 4)}f}" if digits else f"{float(f'{value:.3g}'):,.0f}"


def span(some: Spread | None, scale: float = 1.0) -> str:
    """``median (least - most)``; of one value itself."""
    if some is None:
        return NONE
    if some.count == 1:
        return number(some.median * scale)
    return f"{number(some.median * scale)} ({number(some.least * scale)} – {number(some.most * scale)})"


def training_lengths(arrays: Arrays) -> np.ndarray:
    """Items of each user that leave-one-out trains on."""
    length_U = np.diff(arrays.offsets)
    return np.where(length_U >= 3, length_U - 2, length_U)


def named(job: Job) -> str:
    """A job's row."""
    return f"{job.side} {job.model}" + (", malloc set" if job.malloc else "")


def extent(measurements: list[dict[str, Any]], job: Job) -> str:
    """What was timed: so many whole epochs, or windows of so many seconds."""
    count, facts = len(values(measurements, job, "epoch_s")), facts_of(measurements, job)
    if facts.get("whole_epoch", True):
        return f"{count} epoch" + "s" * (count != 1)
    return f"{count} × {facts['window_s']:.0f} s"


def training_table(measurements: list[dict[str, Any]], data: str, arrays: Arrays) -> Table:
    """Every side and model on one dataset: seconds, rates, share of the matmul peaks."""
    peaks = facts_of(measurements, Job("peaks"))
    length_U, dataset = training_lengths(arrays), DATASETS[data]
    flops = transformer_epoch(length_U, arrays.n_items, max_length=dataset.max_length)
    histories = int((length_U > 1).sum())
    rows = []
    for job in jobs_of(measurements):
        epoch = spread(measurements, job, "epoch_s")
        if job.data != data or epoch is None:
            continue
        ours = spread(measurements, Job("framework", job.model, data), "epoch_s")
        rate = flops / epoch.median / 1e9 if job.model == "transformer" else None
        of_peak = [f"{rate / peaks[key]:.2%}" if rate and peaks else NONE for key in ("fp32_gflops", "bf16_gflops")]
        rows.append(
            [
                named(job),
                span(epoch),
                extent(measurements, job),
                number(histories / epoch.median),
                number(epoch.median / ours.median) if ours else NONE,
                number(rate) if rate else NONE,
                *of_peak,
            ]
        )
    note = (
        f"{len(length_U):,} users, {arrays.n_items:,} items, at most {dataset.max_length} positions; "
        f"{flops / 1e9:,.0f} GFLOP of useful products in an epoch of the transformer. Where a window of seconds was "
        "timed, behind a warm-up, the epoch is extrapolated. x ours: seconds by those of the framework with the same "
        "model. malloc set: the peer was given the allocator settings that the framework and the reference set."
    )
    headings = ["training", "epoch s", "timed", "histories/s", "x ours", "GFLOP/s", "of fp32", "of bf16"]
    return Table(f"{dataset.title}: training", headings, rows, note)


def evaluation_table(measurements: list[dict[str, Any]], data: str) -> Table:
    """Every side and model on one dataset: users ranked a second over the whole catalogue, and peak memory."""
    rows = [
        [
            named(job),
            span(spread(measurements, job, "eval_users_per_s")),
            facts_of(measurements, job).get("seen", "filtered"),
            span(spread(measurements, job, "peak_rss_bytes"), 1e-6),
        ]
        for job in jobs_of(measurements)
        if job.data == data
    ]
    headings = ["evaluation", "users/s", "seen items", "peak MB of the process"]
    return Table(f"{DATASETS[data].title}: evaluation and memory", headings, rows)


def promise_table(measurements: list[dict[str, Any]], promises: list[Promise]) -> Table:
    """Every promise with its ratio of medians."""
    rows = []
    for kept in (check(measurements, promise) for promise in promises):
        promise = kept.promise
        sign = "at most" if promise.at_most else "at least"
        ratio = NONE if kept.ratio is None else number(kept.ratio)
        data = DATASETS[promise.over.data].title
        rows.append([promise.title, data, ratio, f"{sign} {promise.bound:g}", kept.word])
    return Table("Promises", ["ratio of medians", "data", "measured", "promised", ""], rows)


def startup_table(measurements: list[dict[str, Any]]) -> Table:
    """Seconds before anything happens."""
    rows = []
    for key, (title, bound) in STARTUP.items():
        some = spread(measurements, Job("startup"), key)
        word = "not measured" if some is None else "kept" if some.median <= bound else "missed"
        rows.append([title, span(some), f"at most {bound:g}", word])
    return Table("Start-up, seconds", ["", "measured", "promised", ""], rows)


def machine_table(measurements: list[dict[str, Any]], machine: dict[str, Any], failed: dict[str, str]) -> Table:
    """Where it ran, with what, how busy it was, and what failed."""
    peaks = facts_of(measurements, Job("peaks"))
    rows = [[name, str(value)] for name, value in machine.items()]
    if peaks:
        rows.append(["matmul peak, GFLOP/s", f"fp32 {peaks['fp32_gflops']:,.0f}, bf16 {peaks['bf16_gflops']:,.0f}"])
    others = [m["others"] for m in measurements if m["others"] is not None]
    if others:
        busy = "; the machine was busy, ratios near 1 mean little" if max(others) > BUSY else ""
        rows.append(["used by others meanwhile", f"{min(others):.1%} – {max(others):.1%} of the processors{busy}"])
    for side in dict.fromkeys(job.side for job in jobs_of(measurements)):
        job = next(job for job in jobs_of(measurements) if job.side == side)
        if versions := facts_of(measurements, job).get("versions"):
            rows.append([f"versions, {side}", ", ".join(f"{name} {v}" for name, v in versions.items())])
    rows += [[f"failed: {name}", reason] for name, reason in failed.items()]
    return Table("Machine and versions", ["", ""], rows)


def markdown(tables: list[Table], title: str, lead: str) -> str:
    """All tables as one page."""
    parts = [f"# {title}", lead]
    for table in tables:
        lines = [f"| {' | '.join(table.headings)} |", "|" + " --- |" * len(table.headings)]
        lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table.rows]
        parts += [f"## {table.title}", "\n".join(lines), *([table.note] if table.note else [])]
    return "\n\n".join(parts) + "\n"


def terminal(table: Table) -> RichTable:
    """One table for a terminal."""
    from rich.table import Table as RichTable

    shown = RichTable(title=table.title, caption=table.note or None, title_justify="left", caption_justify="left")
    for place, heading in enumerate(table.headings):
        shown.add_column(heading, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in table.rows:
        shown.add_row(*row)
    return shown
