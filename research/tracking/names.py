"""What a run is called in a tracker, and what it states there: from its record alone, so that it is the same again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

SUMMARY = ("parameters", "seconds", "epochs", "branch_weight", "identity")


def run_id(study: str, identity: str, seed: int) -> str:
    """The id of a run: the same for a run that is sent twice, another one for another study or seed.

    A baseline's identity knows no seed, and the same run may stand in two studies; hence all three.
    """
    return _digest(f"run/{study}/{identity}/{seed}")


def table_id(study: str) -> str:
    """The id of a study's table."""
    return _digest(f"table/{study}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """Final numbers of a finished run; what a record does not state is left out."""
    test = {f"test/{name}": value for name, value in record["test"].items()}
    return test | {key: record[key] for key in SUMMARY if key in record}


def tags(record: Mapping[str, Any]) -> list[str]:
    """Study, data, kind, split and the values of the study's axes: what runs are filtered by."""
    axes = [f"{key}={value}" for key, value in (record.get("arm") or {}).items()]
    said = [record["study"], record["data"]["name"], record["kind"], record["protocol"]["split"], *axes]
    return list(dict.fromkeys(str(word)[:64] for word in said if word))  # W&B refuses longer ones
