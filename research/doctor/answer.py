"""Everything that ``research doctor`` says, as plain data and as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from research.doctor.check import Check

SIGN = {True: "[green]ok[/green]", False: "[bold red]FAILS[/bold red]", None: "n/a"}


def surroundings(config: DictConfig) -> dict[str, Any]:
    """Versions, hardware, places and secrets, as JSON can hold them."""
    from research.data.prepare import cache_of
    from research.doctor.machine import hardware, place, secrets, versions

    return {
        "versions": versions(),
        "hardware": hardware(),
        "places": {"cache": place(cache_of(config)), "runs": place(Path(config.paths.runs), measured=False)},
        "secrets": secrets(),
    }


def print_surroundings(facts: dict[str, Any], out: Console) -> None:
    """One table."""
    machine, places = facts["hardware"], facts["places"]
    rows = {
        "versions": ", ".join(f"{name} {number}" for name, number in facts["versions"].items()),
        "machine": f"{machine['platform']}, {machine['processor']}",
        "cores": f"{machine['cores']}, of which this process may use {machine['cores_usable']}; "
        f"torch takes {machine['threads']} threads",
        "memory": f"{_size(machine['memory_bytes'])}, {_size(machine['memory_free_bytes'])} free",
        "instructions": ", ".join(machine["instructions"]) or "none of those that matter",
        "GPUs": ", ".join(machine["gpus"]) or ("Apple MPS" if machine["mps"] else "none"),
    }
    for name, one in places.items():
        held = f", {_size(one['bytes'])} in it" if one["bytes"] is not None and one["exists"] else ""
        state = f"{'' if one['exists'] else 'not there yet, '}{'writable' if one['writable'] else 'NOT WRITABLE'}"
        rows[name] = f"{one['path']}: {state}{held}, {_size(one['free_bytes'])} free on its disk"
    rows["secrets"] = ", ".join(f"{name} {said}" for name, said in facts["secrets"].items())
    table = Table(title="Surroundings", show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, escape(text))
    out.print(table)


def print_checks(title: str, checks: list[Check], out: Console) -> None:
    """One table, and a paragraph for each check that fails."""
    table = Table(title=escape(title), title_justify="left")
    table.add_column("check", overflow="fold", ratio=2)
    table.add_column("", no_wrap=True, min_width=5)
    table.add_column("found", overflow="fold", ratio=3)
    for check in checks:
        table.add_row(escape(check.name), SIGN[check.passed], escape(check.found))
    out.print(table)


def _size(count: int | None) -> str:
    if count is None:
        return "unknown"
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
