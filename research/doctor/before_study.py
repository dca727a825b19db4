"""The instrument is checked before a study's first run, once for each dataset, selection, split and state of the code.

The answer is kept in the data cache, under a name that hashes all of them. A check that failed is not remembered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

import research
from research.data.atomic import write_whole
from research.data.histories import Histories
from research.data.prepare import cache_of
from research.data.split import Queries, Split
from research.doctor.check import Check, failed
from research.doctor.data import same_build, shuffled_time
from research.errors import UserError

ANSWERS = ("data", "doctor", "evaluation", "metrics")
"""Folders whose code decides the answers."""


def examine(config: DictConfig, histories: Histories, split: Split) -> list[Check]:
    """Every check of one dataset under one split, in seconds."""
    from research.doctor.instrument import instrument
    from research.doctor.probes import Bench

    bench = Bench.of(histories, split, config.max_length)
    return [*instrument(bench), shuffled_time(histories), same_build(config, histories)]


def to_examine(configs: Iterable[DictConfig]) -> list[DictConfig]:
    """The first configuration of each dataset, selection and split of a study."""
    found: dict[tuple[str, ...], DictConfig] = {}
    for config in configs:
        found.setdefault(tuple(str(config.get(part)) for part in ("data", "selection", "split")), config)
    return list(found.values())


def check_before_study(
    config: DictConfig, histories: Histories, split: Split, *, announce: Callable[[str], None] | None = None
) -> None:
    """Check the instrument unless it was found in order before.

    Args:
        config: of any run of the study on these data.
        histories: its data.
        split: its protocol.
        announce: is told what was checked.

    Raises:
        UserError: a check fails; no run should be made.
    """
    path = cache_of(config) / "instrument" / f"{key(histories, split)}.json"
    if path.is_file():
        return
    checks = examine(config, histories, split)
    if wrong := failed(checks):
        raise UserError(
            f"The instrument is out of order on {histories.name}, so the study does not start. "
            f"{wrong[0].sentence} `research doctor data={histories.name}` shows all checks."
        )
    with suppress(OSError):  # a read-only cache: it is checked again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps([check.plain() for check in checks], indent=1).encode())
    if announce:
        done = sum(check.passed is True for check in checks)
        announce(f"The instrument is in order on {histories.name}: {done} checks (research doctor shows them).")


def key(histories: Histories, split: Split) -> str:
    """Of everything that an answer depends on; the queries as they are, as no name tells two versions of a split."""
    depends = [histories.name, histories.digest, histories.columns_digest, split.name, queries_digest(split.test)]
    depends.append(code_digest())
    return hashlib.sha256("\n".join(depends).encode()).hexdigest()[:20]


def queries_digest(queries: Queries) -> str:
    """SHA-256 over who is asked for what."""
    sha = hashlib.sha256()
    for array in (queries.user, queries.start, queries.stop, queries.target):
        sha.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
    return sha.hexdigest()


def code_digest() -> str:
    """SHA-256 over the files that answer; a commit would not see what is not committed."""
    sha, root = hashlib.sha256(), Path(research.__file__).parent
    for path in sorted(path for folder in ANSWERS for path in (root / folder).rglob("*.py")):
        sha.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return sha.hexdigest()
