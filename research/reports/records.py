"""A study on disk -> checked records: ``study.yaml`` and each ``<cell>/seed-<n>/`` with a ``record.json``.

The files are the only source: nothing here asks a model or a logger. Fields that this version does not know
are kept and ignored. A run directory without a record is a run that has not ended, and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from research.errors import UserError
from research.reports.failed_tunings import failed_tunings
from research.reports.ranks import Ranks, read_ranks
from research.spelling import plain
from research.statistics.claims import Claim
from research.statistics.declared import possible_names, read_claims

SCHEMA = 1
DEFAULT_METRICS = ("recall@10", "ndcg@10", "mrr@10")


@dataclass(frozen=True)
class Run:
    """One ended run: a cell of the grid with one seed. ``ranks`` is None when, and only when, it failed."""

    directory: Path
    cell: str
    label: str
    arm: Mapping[str, str]
    kind: str
    seed: int
    reason: str | None
    record: Mapping[str, Any]
    ranks: Ranks | None

    def section(self, name: str) -> Mapping[str, Any]:
        """A mapping of the record, empty where the record has none."""
        value = self.record.get(name)
        return value if isinstance(value, Mapping) else {}


@dataclass(frozen=True)
class StudyRecords:
    """What a study asked (axes, seeds, metrics, baseline arm, claims) and the runs that have ended so far."""

    directory: Path
    name: str
    question: str
    axes: Mapping[str, tuple[str, ...]]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    baseline: Mapping[str, str]
    runs: tuple[Run, ...]
    claims: tuple[Claim, ...] = ()
    family: str = "holm"
    exclude: tuple[Mapping[str, tuple[str, ...]], ...] = ()

    @property
    def finished(self) -> list[Run]:
        return [run for run in self.runs if run.ranks is not None]

    @property
    def has_table(self) -> bool:
        """Whether a model has finished: rows without training alone compare nothing."""
        return any(run.kind == "model" for run in self.finished)

    @property
    def failed(self) -> list[Run]:
        return [run for run in self.runs if run.ranks is None]

    @property
    def several(self) -> bool:
        """Whether a user has more than one held-out item in a run: a count of queries is then none of users."""
        return any(run.ranks is not None and run.ranks.several for run in self.runs)


def read_study(directory: Path | str) -> StudyRecords:
    """Read a study directory.

    Raises:
        UserError: no study there; a file that cannot be read or lacks a field; the same run recorded twice.
    """
    directory = Path(directory)
    study = _study_file(directory)
    runs: dict[tuple[str, int], Run] = {}
    for path in sorted(directory.glob("*/seed-*/record.json")):
        run = _read_run(path)
        other = runs.setdefault((run.cell, run.seed), run)
        if other is not run:
            raise UserError(
                f"{path} and {other.directory / 'record.json'} both record {run.cell!r}, seed {run.seed}. "
                "Move one of the two directories out of the study."
            )
    for result in failed_tunings(directory, study.get("tune")):
        for run in _untuned(directory, result, study["seeds"] if result["kind"] == "model" else study["seeds"][:1]):
            runs.setdefault((run.cell, run.seed), run)
    ordered = [runs[key] for key in sorted(runs)]
    names = [run.label for run in ordered] + possible_names(study["axes"], study.get("baselines") or ())
    return StudyRecords(
        directory=directory,
        name=plain(study.get("name", directory.name)),
        question=plain(study.get("question") or ""),
        axes=study["axes"],
        seeds=study["seeds"],
        metrics=tuple(study.get("metrics") or DEFAULT_METRICS),
        baseline={key: plain(value) for key, value in (study.get("baseline") or {}).items()},
        runs=tuple(ordered),
        claims=tuple(read_claims(study, list(dict.fromkeys(names)), str(directory / "study.yaml"))),
        family=study.get("family") or "holm",
        exclude=study["exclude"],
    )


def _study_file(directory: Path) -> dict[str, Any]:
    path = directory / "study.yaml"
    if not path.is_file():
        siblings = sorted(p.parent.name for p in directory.parent.glob("*/study.yaml"))
        known = f"studies there: {', '.join(siblings)}" if siblings else "no study has run there yet"
        raise UserError(f"There is no study in {directory} (no study.yaml); {known}. Run `research study NAME` first.")
    try:
        study = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable YAML: {error}") from error
    expected = {"axes": dict, "seeds": list, "metrics": list, "baseline": dict, "tune": dict, "baselines": list}
    expected["exclude"] = list
    for key, kind in expected.items():
        if not isinstance(study, dict) or not isinstance(study.get(key) or kind(), kind):
            raise UserError(f"{path}: `{key}` should be a {'mapping' if kind is dict else 'list'}.")
    axes = study.get("axes") or {}
    study["axes"] = {key: _spelt(values) for key, values in axes.items()}
    study["exclude"] = tuple(
        {key: _spelt(values) for key, values in entry.items()}
        for entry in study.get("exclude") or ()
        if isinstance(entry, Mapping)
    )
    try:
        study["seeds"] = tuple(int(seed) for seed in study.get("seeds") or ())
    except (TypeError, ValueError) as error:
        raise UserError(f"{path}: `seeds` should be a list of whole numbers.") from error
    return study


def _spelt(values: Any) -> tuple[str, ...]:
    """One value or a list of them, as a configuration spells them."""
    return tuple(plain(value) for value in (values if isinstance(values, list) else [values]))


def _untuned(directory: Path, result: Mapping[str, Any], seeds: tuple[int, ...]) -> list[Run]:
    """The runs of an arm whose tuning chose nothing: they failed with the tuning's reason."""
    return [
        Run(
            directory=directory / "tuning",
            cell=f"untuned-{result['identity'][:10]}",
            label=plain(result["label"]),
            arm={key: plain(value) for key, value in result["arm"].items()},
            kind=result["kind"],
            seed=seed,
            reason=plain(result["reason"]),
            record={"tuning": result},
            ranks=None,
        )
        for seed in seeds
    ]


def _read_run(path: Path) -> Run:
    mend = "Delete that run's directory and continue the study to repeat it."
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not readable JSON ({error}). {mend}") from error
    if not isinstance(record, dict):
        raise UserError(f"{path} should hold one JSON object. {mend}")
    if record.get("schema") != SCHEMA:
        raise UserError(
            f"{path} has record schema {record.get('schema')!r}; this version reads schema {SCHEMA}. "
            "Use the version of the package that wrote it, or repeat the run."
        )
    needed = ["status", "cell", "label", "kind", "seed"]
    needed += ["test", "data", "protocol"] if record.get("status") == "finished" else []
    missing = [key for key in needed if record.get(key) is None]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}. {mend}")
    if record["status"] not in ("finished", "failed") or record["kind"] not in ("model", "baseline"):
        raise UserError(
            f"{path}: status {record['status']!r} should be finished or failed, "
            f"kind {record['kind']!r} should be model or baseline. {mend}"
        )
    arm = record.get("arm") or {}
    if type(record["seed"]) is not int or not isinstance(arm, dict):
        raise UserError(f"{path}: seed should be a whole number and arm a mapping. {mend}")
    failed = record["status"] == "failed"
    ranks = None if failed else read_ranks(path.parent / "ranks.parquet")
    if ranks is not None:
        _check_count(path, record, ranks)
    return Run(
        directory=path.parent,
        cell=plain(record["cell"]),
        label=plain(record["label"]),
        arm={key: plain(value) for key, value in arm.items()},
        kind=record["kind"],
        seed=record["seed"],
        reason=plain(record.get("reason") or "no reason was recorded") if failed else None,
        record=record,
        ranks=ranks,
    )


def _check_count(path: Path, record: Mapping[str, Any], ranks: Ranks) -> None:
    """See that the ranks are as many as the audit says; rows that stand twice would change every mean."""
    data = record["data"]
    audit = data.get("audit") if isinstance(data, Mapping) else None
    stated = audit.get("test_queries") if isinstance(audit, Mapping) else None
    if isinstance(stated, int) and stated != len(ranks.user_N):
        raise UserError(
            f"{path} says {stated:,} test queries, but ranks.parquet beside it has {len(ranks.user_N):,} rows. "
            "One of the two is not of this run: delete the directory and continue the study to repeat it."
        )
