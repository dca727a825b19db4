"""Several trained runs as one: their scores are combined query by query and ranked like those of any model.

Shape legend: R runs, B queries of a block, I items.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from research.data.histories import Histories
from research.data.split import Queries, Split
from research.ensembles.base import Rule
from research.ensembles.learned import Learned
from research.ensembles.ranks import Ranks as RankRule
from research.ensembles.trained import TrainedRun
from research.ensembles.weighted import Weighted
from research.errors import UserError
from research.evaluation.blocks import BlockSampler, past_items
from research.evaluation.ranks import count_better
from research.evaluation.scores import DenseScores
from research.evaluation.table import Ranks
from research.schema import nearest
from research.training.environment import code, environment
from research.training.outcome import METRICS
from research.training.record import open_directory, write_finished

RULES: dict[str, type[Rule]] = {"weighted": Weighted, "ranks": RankRule, "learned": Learned}


@dataclass(frozen=True)
class Ensemble:
    """What came of it.

    Attributes:
        ranks: of the test items.
        weights: share of each run; ``None`` where the rule has none.
        record: what is stored.
    """

    ranks: Ranks
    weights: list[float] | None
    record: dict[str, Any]


def fuse(directories: Sequence[Path], by: str, weights: Sequence[float] | None = None) -> Ensemble:
    """Combine finished runs and rank the test items.

    Args:
        directories: of at least two runs on the same data with the same split.
        by: ``weighted``, ``ranks`` or ``learned``.
        weights: one a run, not negative, not all zero; ``None`` for equal ones.

    Raises:
        UserError: a run is missing, not finished, or of other data; or the rule or the weights make no sense.
    """
    if by not in RULES:
        raise UserError(f"There is no rule {by!r}. Known: {', '.join(RULES)}.{nearest(by, list(RULES))}")
    if len(directories) < 2:
        raise UserError("An ensemble needs at least two runs.")
    if weights is not None and (len(weights) != len(directories) or min(weights) < 0 or sum(weights) <= 0):
        raise UserError(f"--weights {weights}: one a run ({len(directories)}), not negative, not all zero.")
    runs = [TrainedRun(directory) for directory in directories]
    _check_alike(runs)
    histories, split = runs[0].load()
    scorers = [run.scorer(histories, split) for run in runs]
    rule = RULES[by](len(runs), weights)  # type: ignore[call-arg]

    def scores(queries: Queries) -> Iterator[tuple[np.ndarray, Tensor]]:
        for chosen_B in BlockSampler(queries):
            yield chosen_B, torch.stack([scorer(queries, chosen_B) for scorer in scorers])

    if rule.learns:
        rule.learn((score_RBI, _targets(histories, split.validation, b)) for b, score_RBI in scores(split.validation))
    parts = []
    for chosen_B, score_RBI in scores(split.test):
        row_S, item_S = (torch.from_numpy(x) for x in past_items(histories, split.test, chosen_B))
        together = DenseScores(rule.combine(score_RBI).float())
        counts = count_better(together, _targets(histories, split.test, chosen_B), row_S, item_S - 1)
        parts.append(Ranks.of_queries(histories, split.test, chosen_B, *(c.numpy() for c in counts), weight_B2=None))
    ranks = Ranks.gather(parts)
    return Ensemble(ranks, rule.weights, _record(runs, by, rule, ranks, split))


def write(ensemble: Ensemble, runs: Path) -> Path:
    """Store it like a run, below ``runs/ensembles``; the same ensemble again goes to the same place."""
    directory = runs / "ensembles" / ensemble.record["cell"] / "seed-0"
    open_directory(directory)
    write_finished(directory, ensemble.record, ensemble.ranks, [])
    return directory


def _targets(histories: Histories, queries: Queries, chosen_B: np.ndarray) -> Tensor:
    """``(B,)`` catalogue rows."""
    return torch.from_numpy(histories.items[queries.target[chosen_B]].astype(np.int64) - 1)


def _check_alike(runs: Sequence[TrainedRun]) -> None:
    first = runs[0].record
    if first["config"].get("evaluation"):
        raise UserError(
            f"{runs[0].directory} was ranked by a published table's rule (evaluation=...), which fuse does not know. "
            "Fuse runs with evaluation=null."
        )
    for run in runs[1:]:
        for what, key in (("data", "data"), ("protocol", "protocol")):
            ours, theirs = first[key], run.record[key]
            if (ours["digest"] != theirs["digest"]) if key == "data" else (ours != theirs):
                raise UserError(
                    f"{run.directory} and {runs[0].directory} differ in their {what}: their scores are not about the "
                    "same queries. Fuse runs of one study."
                )


def _record(runs: Sequence[TrainedRun], by: str, rule: Rule, ranks: Ranks, split: Split) -> dict[str, Any]:
    members = [{"name": run.name, "identity": run.record["identity"]} for run in runs]
    identity = hashlib.sha256(json.dumps([members, by, rule.weights], sort_keys=True).encode()).hexdigest()
    return {
        "schema": 1,
        "status": "finished",
        "study": "ensembles",
        "cell": f"{by}-{identity[:10]}",
        "label": f"{by} of {len(runs)} runs",
        "arm": {},
        "kind": "ensemble",
        "seed": 0,
        "identity": identity,
        "members": members,
        "weights": rule.weights,
        "config": {"members": [run.record["config"] for run in runs]},
        "code": code(),
        "environment": environment(),
        "data": runs[0].record["data"],
        "protocol": runs[0].record["protocol"],
        "parameters": sum(run.record["parameters"] for run in runs),
        "test": {name: ranks.mean(name) for name in METRICS},
    }
