"""Which runs a person means: a directory, ``study/cell/seed``, ``study/cell`` for all its seeds, or an identity."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from research.errors import UserError

IDENTITY = re.compile(r"[0-9a-f]{6,64}")


def find(name: str, runs: Path) -> list[Path]:
    """Directories of the finished runs that ``name`` means; several are the seeds of one cell.

    Args:
        name: a directory, or a path below ``runs`` such as ``quickstart/CELL/seed-1`` or ``quickstart/CELL/1``, or
            six digits at least of the identity that a record states.
        runs: the directory of run records.

    Raises:
        UserError: nothing is there, or nothing that has finished, or several different things.
    """
    for place in (Path(name), runs / name, runs / re.sub(r"/(\d+)/?$", r"/seed-\1", name)):
        if place.is_dir():
            return _finished(place)
    if IDENTITY.fullmatch(name):
        return [_by_identity(name, runs)]
    raise UserError(
        f"There is no run {name!r}: no such directory, and none below {runs}. Give the directory that research train "
        "printed, study/cell/seed-1, study/cell for all its seeds, or the first digits of an identity."
    )


def _finished(place: Path) -> list[Path]:
    if (place / "record.json").is_file():
        record = read_record(place)
        if record.get("status") != "finished":
            raise UserError(f"{place} holds a run that failed: {record.get('reason')}. Run it again first.")
        return [place]
    seeds = sorted(place.glob("seed-*/record.json"), key=lambda path: (len(path.parent.name), path.parent.name))
    done = [path.parent for path in seeds if read_record(path.parent).get("status") == "finished"]
    if not done:
        below = sorted({path.parent.parent.name for path in place.glob("*/seed-*/record.json")})
        hint = f" It is a study; name one of its cells: {', '.join(below)}." if below else ""
        raise UserError(f"{place} holds no finished run.{hint}")
    return done


def _by_identity(digits: str, runs: Path) -> Path:
    found: dict[str, Path] = {}
    for path in sorted(runs.glob("*/*/seed-*/record.json")):
        record = read_record(path.parent)
        if str(record.get("identity", "")).startswith(digits) and record.get("status") == "finished":
            found.setdefault(record["identity"], path.parent)  # the same run in two studies has the same numbers
    if not found:
        raise UserError(f"No finished run below {runs} has an identity that begins with {digits}.")
    if len(found) > 1:
        places = ", ".join(str(place) for place in found.values())
        raise UserError(f"{len(found)} runs have an identity that begins with {digits}: {places}. Give more digits.")
    return next(iter(found.values()))


def read_record(directory: Path) -> dict[str, Any]:
    """``record.json`` of a run.

    Raises:
        UserError: it is not readable, or no record.
    """
    path = directory / "record.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not readable ({error}). Delete that run's directory and run it again.") from error
    if not isinstance(record, dict):
        raise UserError(f"{path} should hold one JSON object. Delete that run's directory and run it again.")
    return record
