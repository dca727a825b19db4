"""One run's means over its test queries, one a user in most protocols, computed from ranks and checked by the record.

Shape legend: N test queries of one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from research.errors import UserError
from research.metrics.ranking import metric
from research.reports.ranks import Ranks
from research.reports.records import Run

Selection = Callable[[Ranks], np.ndarray]
"""Picks the queries that count: ``Ranks -> (N,) bool``."""

AGREEMENT = 1e-6
"""How far a recorded test value may lie from the one its ranks give."""


def means_over_users(run: Run, metrics: Sequence[str], select: Selection | None) -> dict[str, float]:
    """Metric -> mean over the selected queries, NaN where none is selected.

    Raises:
        UserError: all queries count and the record states another value.
    """
    assert run.ranks is not None
    chosen = slice(None) if select is None else select(run.ranks)
    better_N, ties_N = run.ranks.better_N[chosen], run.ranks.ties_N[chosen]
    values_N = {name: metric(name, better_N, ties_N) for name in metrics}
    means = {name: float(value_N.mean()) if len(value_N) else np.nan for name, value_N in values_N.items()}
    recorded = run.section("test")
    for name in metrics if select is None else ():
        stated = recorded.get(name)
        if stated is not None and not abs(means[name] - float(stated)) <= AGREEMENT:
            raise UserError(
                f"{run.directory}: record.json says {name} = {stated}, but ranks.parquet gives "
                f"{means[name]:.6f}. One of the two is not of this run: delete the directory and "
                "continue the study to repeat it."
            )
    return means


def long_weight(run: Run, select: Selection | None) -> float | None:
    """Mean weight of the long branch over the selected queries that have one, None where none has."""
    ranks = run.ranks
    if ranks is None or ranks.weight_long_N is None:
        return None
    weight_N = ranks.weight_long_N[slice(None) if select is None else select(ranks)]
    weight_N = weight_N[~np.isnan(weight_N)]
    return float(weight_N.mean()) if len(weight_N) else None
