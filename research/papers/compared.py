"""Published beside ours, from records alone.

Runs count only where they are what the file says: its words, its data, its protocol. Where they are not, the line says
that it is not comparable, and why; its numbers stand all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from research.papers.as_study import PREFIX
from research.papers.paper import HONEST, Paper
from research.papers.verdict import Verdict, difference, verdict, worst
from research.reports.records import Run, read_study
from research.reports.scores import means_over_users
from research.reports.summary import Value, summarise
from research.studies.planned import read_plan

HARMLESS = ("logger=", "logger.", "trainer.threads=", "trainer.accelerator=", "paths.")
"""Words that cannot make another row of it."""


@dataclass(frozen=True)
class Line:
    """One row of a paper file.

    Attributes:
        paper: the file's name.
        label: of the row; the twin without quirks ends in ``, honest``.
        data: the dataset.
        published: metric -> value; empty where nothing was published.
        asked: seeds that the file asks for.
        seeds: seeds that finished.
        ours: metric -> mean and std over them.
        off: metric -> relative difference from the published value.
        verdicts: metric -> better, reached, near or missed.
        verdict: of the row: its worst metric's, or ``not comparable``, ``ours alone``, ``failed``, ``not run``.
        reason: of that, where it is not in the numbers.
    """

    paper: str
    label: str
    data: str
    published: dict[str, float]
    asked: int
    verdict: str = "not run"
    reason: str = ""
    seeds: tuple[int, ...] = ()
    ours: dict[str, Value] = field(default_factory=dict)
    off: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The verdict, and how many seeds it rests on while some are missing."""
        short = self.seeds and len(self.seeds) < self.asked
        return f"{self.verdict} ({len(self.seeds)} of {self.asked} seeds)" if short else self.verdict


def compared(paper: Paper, runs: Path) -> list[Line]:
    """The rows of a paper file in its order, then its rows without training.

    Args:
        paper: the file.
        runs: directory of run records, the paper's in ``paper-<name>`` below it; or one of published studies, such as
            ``results/paper``, the paper's records in ``<name>/runs``.

    Raises:
        UserError: a record cannot be read.
    """
    places = runs / f"{PREFIX}{paper.name}", runs / paper.name / "runs"
    directory = next((place for place in places if (place / "study.yaml").is_file()), None)
    if directory is None:
        return [_line(paper, label, [], "") for label in paper.arms]
    asked = {(run["cell"], run["seed"]) for run in read_plan(directory) or ()}
    found = [run for run in read_study(directory).runs if not asked or (run.cell, run.seed) in asked]
    changed = _changed(paper, directory)
    lines = [_line(paper, label, [run for run in found if run.label == label], changed) for label in paper.arms]
    others = dict.fromkeys(run.label for run in found if run.label not in paper.arms)
    return lines + [_line(paper, label, [run for run in found if run.label == label], changed) for label in others]


def _line(paper: Paper, label: str, runs: list[Run], changed: str) -> Line:
    row = paper.rows.get(label.removesuffix(HONEST))
    published = row.published if row else {}
    known: dict[str, Any] = {"paper": paper.name, "label": label, "data": paper.data, "published": published}
    trained = row and not any(run.kind == "baseline" for run in runs)
    known["asked"] = len(paper.seeds) if trained else 1
    finished = sorted((run for run in runs if run.ranks is not None), key=lambda run: run.seed)
    if not finished:
        failed = next((run.reason for run in runs if run.reason), None)
        return Line(**known, verdict="failed" if failed else "not run", reason=failed or "")
    metrics = paper.metrics
    means = [means_over_users(run, metrics, None) for run in finished]
    ours = {metric: summarise([mean[metric] for mean in means]) for metric in metrics}
    known |= {"seeds": tuple(run.seed for run in finished), "ours": ours}
    if not published:
        return Line(**known, verdict="ours alone")
    known["off"] = {metric: difference(ours[metric].mean, value) for metric, value in published.items()}
    if reason := changed or next(filter(None, (_other(paper, run) for run in finished)), ""):
        return Line(**known, verdict="not comparable", reason=reason)
    verdicts: dict[str, Verdict] = {
        metric: verdict(ours[metric].mean, value, paper.tolerance) for metric, value in published.items()
    }
    return Line(**known, verdicts=dict(verdicts), verdict=worst(list(verdicts.values())))


def _other(paper: Paper, run: Run) -> str:
    """How a run differs from what the source did, in words; empty where it does not."""
    protocol = run.section("protocol")
    for key in dict.fromkeys([*paper.protocol, "ranking", "seen", "cold_targets", "negatives"]):
        if key == "negatives" and run.kind == "baseline":
            continue  # it draws none
        theirs, ours = paper.protocol.get(key), protocol.get(key)
        if theirs is None and key in ("ranking", "seen"):
            continue
        if theirs != ours:
            words = key.replace("_", " ")
            return f"{words}: {ours or 'as ever'} here, {theirs or 'as ever'} there"
    return ""


def _changed(paper: Paper, directory: Path) -> str:
    """Whether the runs were made with other words than the file now says, in words."""
    said = yaml.safe_load((directory / "study.yaml").read_text(encoding="utf-8")) or {}
    made, wanted = list(said.get("set") or ()), paper.common
    extra = [word for word in made if word not in wanted and not word.startswith(HARMLESS)]
    if extra:
        return f"run with {' '.join(map(str, extra))}"
    gone = [word for word in wanted if word not in made]
    arms = said.get("arms") or {}
    if gone or any(arms.get(label) != words for label, words in paper.arms.items()):
        return "the file has changed since; run it again"
    return ""
